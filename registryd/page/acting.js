// The part of the details where an administrator acts: buttons, confirmation, outcome; and the dialog for the token.
import { ACTIONS, act, keepToken, token } from './actions.js';
import { byId, setHidden, setText } from './dom.js';

export class Acting {
  // `changed()`: called when an action was carried out.
  constructor(details, changed) {
    this.details = details;
    this.changed = changed;
    this.root = details.dialog.querySelector('.acting');
    this.form = this.root.querySelector('form');
    this.outcome = this.root.querySelector('.outcome');
    this.buttons = [...this.root.querySelectorAll('[data-action]')];
    for (const button of this.buttons) button.onclick = () => this.confirm(button.dataset.action);
    this.form.onsubmit = (event) => this.submit(event);
    this.form.querySelector('.cancel').onclick = () => this.reset();
    this.form.addEventListener('keydown', (event) => this.escape(event));
    this.root.querySelector('.readonly button').onclick = () => this.askToken();
    byId('key').onclick = () => this.askToken();
    byId('token').onclose = () => this.tokenAnswered();
    this.showToken();
  }

  // Another breaker is shown: nothing is being asked, nothing has been done yet.
  reset() {
    this.action = null;
    setHidden(this.form, true);
    setHidden(this.outcome, true);
  }

  // `breaker`: undefined if it is gone.
  show(breaker) {
    for (const button of this.buttons) {
      const pointless = button.dataset.action === 'auto' && !breaker?.facts.override;
      button.disabled = !token() || !breaker || pointless;
    }
    setHidden(this.root.querySelector('.readonly'), Boolean(token()));
  }

  confirm(action) {
    const { name } = this.details;
    const button = this.buttons.find((candidate) => candidate.dataset.action === action);
    this.reset();
    this.action = action;
    setText(this.form.querySelector('.meaning'), `${button.textContent} ${name}: ${ACTIONS[action].meaning}.`);
    setText(this.form.querySelector('.do'), `${button.textContent} ${name}`);
    setHidden(this.form.querySelector('.lasting'), !ACTIONS[action].lasts);
    setHidden(this.form, false);
    this.form.elements.reason.value = '';
    this.form.elements.reason.focus();
  }

  async submit(event) {
    event.preventDefault();
    const { action, form } = this;
    const { name } = this.details;
    const forMs = ACTIONS[action].lasts ? Number(form.elements.for.value) : 0;
    this.reset();
    this.tell('…');
    try {
      this.tell(await act(name, action, { reason: form.elements.reason.value.trim(), forMs }));
      this.changed();
    } catch (error) {
      this.tell(`${error.message}.`.replace(/\.+$/, '.'), true);
    }
  }

  tell(sentence, wrong = false) {
    this.outcome.classList.toggle('wrong', wrong);
    setText(this.outcome, sentence);
    setHidden(this.outcome, false);
  }

  // Escape takes back the question first, and only then closes the details.
  escape(event) {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    this.reset();
    this.root.querySelector('button:enabled')?.focus();
  }

  askToken() {
    byId('token-text').value = token();
    byId('token').returnValue = '';
    byId('token').showModal();
  }

  tokenAnswered() {
    const { returnValue } = byId('token');
    if (returnValue) keepToken(returnValue === 'use' ? byId('token-text').value.trim() : '');
    byId('token-text').value = '';
    this.showToken();
    this.changed();
  }

  showToken() {
    setText(byId('key'), token() ? 'May act' : 'Read-only');
    byId('key').classList.toggle('armed', Boolean(token()));
  }
}
