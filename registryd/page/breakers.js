// All breakers of the registry, and in which order they are shown.
import { Breaker, OVERRIDES } from './breaker.js';

const byName = (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
const SORTS = {
  trouble: (a, b) => a.trouble - b.trouble || (b.beginning?.at ?? 0) - (a.beginning?.at ?? 0) || byName(a, b),
  name: byName,
  calls: (a, b) => b.minute.calls + b.minute.rejected - a.minute.calls - a.minute.rejected || byName(a, b),
};

export const KINDS = ['open', 'half-open', 'overridden', 'fine'];

export function kindOf(state) {
  if (OVERRIDES.includes(state)) return 'overridden';
  return state === 'closed' ? 'fine' : state;
}

export class Breakers {
  constructor() {
    this.byName = new Map();
    this.early = new Map(); // name -> events of breakers that no answer has had yet
  }

  // `answer`: what /api/v1/breakers says; `at`: performance.now() when it came.
  learn(answer, at) {
    const told = Date.parse(answer.time);
    const gone = new Set(this.byName.keys());
    for (const facts of answer.breakers) {
      gone.delete(facts.name);
      this.breaker(facts.name).learn(facts, at, told);
    }
    for (const name of gone) this.byName.delete(name);
    this.forgetEarly(told);
  }

  breaker(name) {
    let breaker = this.byName.get(name);
    if (!breaker) {
      breaker = new Breaker(name);
      for (const event of this.early.get(name) ?? []) breaker.note(event);
      this.early.delete(name);
      this.byName.set(name, breaker);
    }
    return breaker;
  }

  // Returns the breaker that the event is about, or null if no answer has had it yet.
  note(event) {
    const breaker = this.byName.get(event.breaker);
    if (breaker) {
      breaker.note(event);
      return breaker;
    }
    const waiting = this.early.get(event.breaker) ?? [];
    waiting.push(event);
    this.early.set(event.breaker, waiting);
    return null;
  }

  // What happened before an answer that does not have the breaker happened to one that is gone.
  forgetEarly(answered) {
    for (const [name, events] of this.early) if (Date.parse(events.at(-1).time) < answered) this.early.delete(name);
  }

  // How many of each kind: {open, half-open, overridden, fine}.
  counts() {
    const counts = Object.fromEntries(KINDS.map((kind) => [kind, 0]));
    for (const breaker of this.byName.values()) counts[kindOf(breaker.state)]++;
    return counts;
  }

  // Those whose name has every word of `filter`, and of one kind if `kind` is one, in the order `sort`.
  list({ filter, kind, sort }) {
    const words = filter.toLowerCase().split(/\s+/);
    const fits = (breaker) =>
      (!kind || kindOf(breaker.state) === kind) && words.every((word) => breaker.name.toLowerCase().includes(word));
    return [...this.byName.values()].filter(fits).sort(SORTS[sort]);
  }
}
