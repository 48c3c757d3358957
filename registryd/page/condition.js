// How a breaker is, in sentences: since when and why, what follows, what was imposed.
import { setHidden, setText } from './dom.js';
import { OVERRIDES } from './breaker.js';
import { actor } from './entry.js';
import { duration, moment } from './words.js';

const CONDITIONS = {
  open: 'Down',
  'half-open': 'Down',
  'forced-open': 'Forced open',
  disabled: 'Disabled',
  'metrics-only': 'Only watching',
  closed: 'Closed',
};

// "Down since 02:41:10 (3m 12s)". `clock`: {wall, ticks}, the daemon's time and performance.now().
export function sinceText(breaker, clock) {
  const word = CONDITIONS[breaker.state] ?? breaker.state;
  const began = breaker.beginning?.at;
  if (began === undefined) return breaker.state === 'closed' ? '' : `${word}, for longer than the journal goes back`;
  return `${word} since ${moment(began, clock.wall)} (${duration(clock.wall - began)})`;
}

// What happens next by itself.
export function nextText(breaker, clock) {
  if (OVERRIDES.includes(breaker.state)) {
    const left = breaker.facts.override ? breaker.untilOverrideEnds(clock.ticks) : Infinity;
    return left === Infinity ? 'Until somebody ends it' : `Closes by itself in ${duration(left)}`;
  }
  if (breaker.state === 'open') {
    const left = breaker.untilProbe(clock.ticks);
    return left > 0 ? `Next probe in ${duration(left)}` : 'The next call is a probe';
  }
  if (breaker.state === 'half-open')
    return breaker.facts.counts.in_flight ? 'A probe is under way' : 'The next call is a probe';
  return '';
}

export function overrideText(breaker) {
  const override = breaker.facts.override;
  if (!override) return '';
  const who = `by ${actor({ ...override, ...breaker.beginning })}`;
  return override.reason ? `“${override.reason}” ${who}` : `Imposed ${who}`;
}

// The parts of a tile or of the details that change with time alone.
export function showCondition(parts, breaker, clock) {
  for (const [part, text] of [
    [parts.condition, sinceText(breaker, clock)],
    [parts.next, nextText(breaker, clock)],
    [parts.override, overrideText(breaker)],
  ]) {
    setText(part, text);
    setHidden(part, !text);
  }
}

// The state as shape, colour and word.
export function showState(badge, state) {
  if (badge.dataset.state === state) return;
  badge.dataset.state = state;
  badge.querySelector('use').setAttribute('href', `#shape-${state}`);
  setText(badge.querySelector('.word'), state);
}

// {calls, failed, slow, rejected, flying}: figures as text; failed and slow are null where there is nothing to say.
export function figures(breaker, percent, number) {
  const { window, counts } = breaker.facts;
  const { calls, failures } = breaker.minute;
  const watched = window.calls > 0;
  return {
    calls: number(breaker.rates.calls),
    failed: watched ? percent(window.failure_rate) : calls ? percent((100 * failures) / calls) : null,
    slow: watched && counts.slow ? percent(window.slow_call_rate) : null,
    rejected: number(breaker.rates.rejected),
    flying: number(counts.in_flight),
  };
}
