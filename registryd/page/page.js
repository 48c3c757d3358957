// The page: what the daemon says becomes tiles; the keyboard, the filter and the address choose what is shown.
import { Acting } from './acting.js';
import { Breakers, KINDS } from './breakers.js';
import { Details } from './details.js';
import { byId, setHidden, setText } from './dom.js';
import { Feed } from './feed.js';
import { Tiles } from './tiles.js';
import { duration, many, moment, number } from './words.js';

const TICK_MS = 500; // countdowns
const NEWS_MS = 5000; // what is older was not just now
const SILENT_MS = 2500; // before one missing answer is worth a word

const breakers = new Breakers();
const tiles = new Tiles(byId('tiles'));
const details = new Details();
const feed = new Feed({ numbers, event: heard, silence, events: (live) => (eventsLive = live) });
const acting = new Acting(details, () => (show(), feed.hurry()));
const view = { filter: '', kind: null, sort: 'trouble' };
let answered = null; // {wall, ticks, workers, registry} of the newest answer
let began = 0; // the daemon's time of the first one
let eventsLive = true;
let missed = 0; // events that the daemon no longer had for us
let why = null; // the daemon does not answer

// The daemon's time, and this page's.
function clock() {
  const ticks = performance.now();
  return { ticks, wall: answered ? answered.wall + ticks - answered.ticks : Date.now() };
}

function numbers(answer, at) {
  const { registry, workers } = answer;
  answered = { wall: Date.parse(answer.time), ticks: at, registry, workers };
  began ||= answered.wall;
  why = null;
  breakers.learn(answer, at);
  setText(byId('registry'), registry);
  show();
}

function heard(event) {
  const at = Date.parse(event.time);
  if (Number.isNaN(at)) return;
  if (event.cause === 'missed') missed += event.value;
  const breaker = breakers.note(event);
  if (!breaker || at < Math.max(began, answered.wall - NEWS_MS)) return later();
  tiles.announce(breaker, clock());
  setText(byId('news'), `${breaker.name}: ${event.text}`);
  feed.hurry();
}

function silence(sentence) {
  why = sentence;
  tick();
}

// Events come in crowds: show them all at once.
let waiting = 0;
function later() {
  waiting ||= requestAnimationFrame(() => {
    waiting = 0;
    if (answered) show();
  });
}

function show() {
  if (!answered) return;
  const start = performance.now();
  const shown = breakers.list(view);
  tiles.show(shown, breakers.byName, clock());
  showKinds();
  showNothing(shown.length);
  showDetails();
  tick();
  performance.measure('show', { start });
}

function showKinds() {
  const counts = breakers.counts();
  for (const kind of KINDS) {
    const button = byId('kinds').querySelector(`[data-kind="${kind}"]`);
    setText(button.querySelector('b'), number(counts[kind]));
    button.classList.toggle('some', counts[kind] > 0);
    button.setAttribute('aria-pressed', view.kind === kind);
  }
  const troubles = KINDS.filter((kind) => kind !== 'fine' && counts[kind]).map((kind) => `${counts[kind]} ${kind}`);
  document.title = `${troubles.join(', ') || 'all well'} – ${answered.registry}`;
  showIcon(counts.open ? '#d32f2f' : counts['half-open'] ? '#e08a00' : '#2e7d32');
}

function showIcon(colour) {
  const circle = `<circle cx="4" cy="4" r="4" fill="${colour}"/>`;
  const picture = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8">${circle}</svg>`;
  const address = `data:image/svg+xml,${encodeURIComponent(picture)}`;
  if (byId('icon').getAttribute('href') !== address) byId('icon').href = address;
}

function showNothing(shown) {
  const all = breakers.byName.size;
  setHidden(byId('nothing'), shown > 0);
  if (shown) return;
  if (all) setText(byId('nothing'), `None of ${many(all, 'breaker')} fits. Esc shows them all.`);
  else
    setText(byId('nothing'), 'No breakers yet. A program makes one by cb_get_or_create(), you by: cbctl create NAME');
}

function showDetails() {
  if (details.name === null) return;
  const breaker = breakers.byName.get(details.name);
  details.show(breaker, clock());
  acting.show(breaker);
}

// What changes with time alone.
function tick() {
  const now = clock();
  showPulse(now);
  if (!answered) return;
  tiles.tick(now);
  const breaker = breakers.byName.get(details.name);
  if (breaker) details.tick(breaker, now);
}

function showPulse(now) {
  const age = answered ? now.ticks - answered.ticks : Infinity;
  const silent = why !== null && age > SILENT_MS;
  document.body.classList.toggle('silent', silent);
  setHidden(byId('silence'), !silent);
  if (silent) setText(byId('silence'), silenceText(age, now));
  else if (answered) setText(byId('pulse'), pulseText(now));
}

function silenceText(age, now) {
  if (!answered) return `registryd does not answer: ${why}. Asking again every second.`;
  return (
    `registryd has not answered for ${duration(age)}: ${why}. Below is how things stood at ` +
    `${moment(answered.wall, now.wall)}. Workers go on without it; this page goes on when it is back.`
  );
}

function pulseText(now) {
  const parts = [many(breakers.byName.size, 'breaker'), many(answered.workers, 'worker')];
  if (missed) parts.push(`${many(missed, 'event')} missed`);
  if (!eventsLive) parts.push('events interrupted');
  return [...parts, moment(answered.wall, now.wall)].join(' · ');
}

// "": none, or nothing that an address can say.
function addressed() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return '';
  }
}

// The address names the breaker whose details are open, so that it can be sent to somebody, and "back" closes it.
function followAddress() {
  const name = addressed();
  if (!name) return details.close();
  if (name !== details.name) acting.reset();
  details.open(name);
  showDetails();
}

function leaveDetails() {
  if (details.name === null) return;
  details.name = null;
  history.replaceState(null, '', location.pathname + location.search);
}

function setView(change) {
  Object.assign(view, change);
  byId('tiles').className = view.sort;
  byId('filter').value = view.filter;
  show();
}

function key(event) {
  if (event.target.closest('dialog') || event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target === byId('filter');
  if (event.key === '/' && !typing) {
    event.preventDefault();
    byId('filter').select();
  } else if (event.key === 'Escape') {
    setView({ filter: '', kind: null });
    if (typing) tiles.focus();
  } else if (typing && (event.key === 'Enter' || event.key === 'ArrowDown')) {
    event.preventDefault();
    tiles.hold(byId('tiles').firstElementChild);
    tiles.focus();
  } else if (event.key.startsWith('Arrow') && event.target === document.body) {
    event.preventDefault();
    tiles.focus();
  }
}

byId('filter').oninput = () => setView({ filter: byId('filter').value });
byId('sort').onchange = () => setView({ sort: byId('sort').value });
byId('kinds').onclick = (event) => {
  const kind = event.target.closest('button')?.dataset.kind;
  if (kind) setView({ kind: view.kind === kind ? null : kind });
};
addEventListener('keydown', key);
addEventListener('hashchange', followAddress);
details.dialog.onclose = leaveDetails;
setInterval(tick, TICK_MS);
followAddress();
feed.start();
