// Small helpers around elements. Text only ever gets in as text.

export const byId = (id) => document.getElementById(id);

// Set a text, touching the page only if it is another one.
export function setText(element, text) {
  if (element.shownText === text) return;
  element.shownText = text;
  element.textContent = text;
}

export function setHidden(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

// make('td', {className: 'number'}, 'text', child, ...)
export function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

export function fromTemplate(id) {
  return byId(id).content.firstElementChild.cloneNode(true);
}

// Make `list`'s children `wanted`, in this order, moving as few as an ordinary change needs. A moved element would lose
// the focus.
export function arrange(list, wanted) {
  const focused = document.activeElement;
  const keep = new Set(wanted);
  for (const child of [...list.children]) if (!keep.has(child)) child.remove();
  let here = list.firstElementChild;
  for (const child of wanted) {
    if (child === here) {
      here = here.nextElementSibling;
    } else if (here && child === here.nextElementSibling) {
      const moved = here;
      here = child.nextElementSibling;
      list.append(moved);
    } else {
      list.insertBefore(child, here);
    }
  }
  if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
}
