// Everything about one breaker, in a dialog.
import { figures, showCondition, showState } from './condition.js';
import { byId, make, setHidden, setText } from './dom.js';
import { showEntries } from './entry.js';
import { draw } from './sparkline.js';
import { latency, many, number, percent } from './words.js';

export class Details {
  constructor() {
    this.dialog = byId('details');
    this.name = null; // of the breaker that is shown
    this.parts = {};
    for (const part of ['badge', 'gone', 'condition', 'next', 'override', 'bars', 'most', 'journal'])
      this.parts[part] = this.dialog.querySelector(`.${part}`);
    for (const list of ['now', 'counts', 'policy']) this.parts[list] = this.dialog.querySelector(`dl.${list}`);
    this.dialog.querySelector('.close').onclick = () => this.dialog.close();
    this.dialog.addEventListener('click', (event) => event.target === this.dialog && this.dialog.close());
  }

  open(name) {
    this.name = name;
    setText(byId('details-name'), name);
    if (!this.dialog.open) this.dialog.showModal();
    this.dialog.scrollTop = 0;
  }

  close() {
    this.name = null;
    if (this.dialog.open) this.dialog.close();
  }

  // `breaker`: undefined if there is none of that name (any more).
  show(breaker, clock) {
    const { parts } = this;
    setHidden(parts.gone, Boolean(breaker));
    if (!breaker) return;
    showState(parts.badge, breaker.state);
    this.tick(breaker, clock);
    this.showBars(breaker);
    list(parts.now, nowRows(breaker));
    list(parts.counts, countRows(breaker.facts.counts));
    list(parts.policy, policyRows(breaker.facts.policy));
    showEntries(parts.journal, breaker.events.toReversed(), clock.wall);
  }

  tick(breaker, clock) {
    showCondition(this.parts, breaker, clock);
  }

  showBars(breaker) {
    const { bars, most } = this.parts;
    const { calls, failures, rejected } = breaker.minute;
    const tallest = draw(bars, breaker.facts.recent ?? []);
    setText(most, `tallest bar: ${many(tallest, 'call')} in 5 s`);
    bars.setAttribute(
      'aria-label',
      `In the last minute ${many(calls, 'call')}, ${number(failures)} failed, ${number(rejected)} rejected`,
    );
  }
}

// Rows [label, value]; a value of null is left out.
function list(element, rows) {
  const shown = rows.filter(([, value]) => value !== null);
  const key = JSON.stringify(shown);
  if (element.shownRows === key) return;
  element.shownRows = key;
  element.replaceChildren(...shown.flatMap(([label, value]) => [make('dt', {}, label), make('dd', {}, value)]));
}

function nowRows(breaker) {
  const { facts } = breaker;
  const said = figures(breaker, percent, number);
  const times = facts.latency;
  return [
    ['calls a second', said.calls],
    ['rejected a second', said.rejected],
    ['in flight', said.flying],
    ['failures in a row', number(facts.streak)],
    ['failed', said.failed && `${said.failed} of ${over(breaker)}`],
    ['slow', said.slow && `${said.slow} of ${over(breaker)}`],
    ['latency p50', times && latency(times.p50_us)],
    ['latency p95', times && latency(times.p95_us)],
    ['latency p99', times && latency(times.p99_us)],
  ];
}

function over(breaker) {
  const { window } = breaker.facts;
  return window.calls ? `${many(window.calls, 'call')} in its window` : many(breaker.minute.calls, 'call');
}

function countRows(counts) {
  const shown = (value) => number(value);
  return [
    ['successes', shown(counts.successes)],
    ['failures', shown(counts.failures)],
    ['abandoned', shown(counts.abandoned)],
    ['overdue', shown(counts.overdue)],
    ['ignored', shown(counts.ignored)],
    ['slow', shown(counts.slow)],
    ['rejected, open', shown(counts.rejected_open)],
    ['rejected, probes taken', shown(counts.rejected_probes)],
    ['rejected, too many', shown(counts.rejected_concurrency)],
    ['transitions', shown(counts.transitions)],
  ];
}

// "key=value key=value": what differs from the defaults.
function policyRows(policy) {
  const pairs = policy.split(' ').filter(Boolean);
  const rows = pairs.map((pair) => pair.split('='));
  return rows.length ? [...rows, ['everything else', 'default']] : [['everything', 'default']];
}
