// One breaker as the page knows it: the daemon's last answer, its events, and what follows from both.

const KEPT_EVENTS = 300;
const RATE_OVER_MS = 10_000; // calls a second are averaged over so long
const PERIOD_S = 5; // of `recent`
const MINUTE = 12; // periods
const FAILING = 0.1; // of the last minute's calls: closed, but worth a look

// The states, worst first: this is the order of trouble.
export const STATES = ['open', 'half-open', 'forced-open', 'disabled', 'metrics-only', 'closed'];
export const OVERRIDES = ['forced-open', 'disabled', 'metrics-only'];

export class Breaker {
  constructor(name) {
    this.name = name;
    this.events = []; // oldest first
    this.samples = []; // of counts, the oldest about RATE_OVER_MS ago
    this.facts = null; // the daemon's answer
    this.asked = 0; // when it came, by performance.now()
    this.told = 0; // when it was given, by the daemon's clock
  }

  // `at`: performance.now() when the answer came; `told`: the daemon's time when it was given.
  learn(facts, at, told) {
    this.facts = facts;
    this.asked = at;
    this.told = told;
    this.sample(at);
    this.conclude();
  }

  // An event comes once: the feed goes on behind the last one.
  note(event) {
    this.events.push({ ...event, at: Date.parse(event.time) });
    if (this.events.length > KEPT_EVENTS) this.events.shift();
    if (this.facts) this.conclude();
  }

  get state() {
    return this.facts.state;
  }

  // Milliseconds until a probe may go out; Infinity: not before somebody ends the override.
  untilProbe(now) {
    return left(this.facts.retry_after_ms, now - this.asked);
  }

  // Milliseconds until the override ends; Infinity: when somebody ends it.
  untilOverrideEnds(now) {
    return left(this.facts.override.left_ms, now - this.asked);
  }

  // Events that changed the state, oldest first.
  get transitions() {
    return this.events.filter((event) => event.from !== event.to);
  }

  sample(at) {
    const counts = this.facts.counts;
    const calls = counts.successes + counts.failures + counts.ignored + counts.abandoned + counts.overdue;
    const last = this.samples.at(-1);
    if (last && (calls < last.calls || counts.rejected < last.rejected)) this.samples = []; // created anew
    this.samples.push({ at, calls, rejected: counts.rejected });
    while (this.samples.length > 2 && at - this.samples[1].at >= RATE_OVER_MS) this.samples.shift();
  }

  conclude() {
    this.minute = this.sumMinute(); // {calls, failures, rejected}
    this.rates = this.ratesNow(); // per second: {calls, rejected}
    this.beginning = this.findBeginning(); // the event that began the present condition, or null
    this.failing = this.minute.failures > 0 && this.minute.failures >= this.minute.calls * FAILING;
    this.trouble = STATES.indexOf(this.state) - (this.state === 'closed' && this.failing ? 0.5 : 0);
  }

  sumMinute() {
    const sum = { calls: 0, failures: 0, rejected: 0 };
    for (const [calls, failures, rejected] of this.facts.recent?.slice(-MINUTE) ?? []) {
      sum.calls += calls;
      sum.failures += failures;
      sum.rejected += rejected;
    }
    return sum;
  }

  ratesNow() {
    const first = this.samples[0];
    const last = this.samples.at(-1);
    const seconds = (last.at - first.at) / 1000;
    if (seconds >= 1)
      return { calls: (last.calls - first.calls) / seconds, rejected: (last.rejected - first.rejected) / seconds };
    const [calls, , rejected] = this.facts.recent?.at(-1) ?? [0, 0, 0];
    return { calls: calls / PERIOD_S, rejected: rejected / PERIOD_S };
  }

  // Away from closed, back to it, or into the override; null if the journal does not reach back so far. What is newer
  // than the answer does not belong to its state.
  findBeginning() {
    let found = null;
    for (const event of this.transitions.reverse()) {
      if (event.at > this.told) continue;
      if (condition(event.to) !== condition(this.state)) break;
      found = event;
    }
    return found;
  }
}

// An outage is one condition, however often a probe was sent meanwhile.
function condition(state) {
  return state === 'half-open' ? 'open' : state;
}

function left(ms, passed) {
  return ms === null ? Infinity : Math.max(0, ms - passed);
}
