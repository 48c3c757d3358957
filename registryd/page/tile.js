// One breaker's tile.
import { OVERRIDES } from './breaker.js';
import { figures, showCondition, showState } from './condition.js';
import { fromTemplate, setHidden, setText } from './dom.js';
import { showEntries } from './entry.js';
import { draw } from './sparkline.js';
import { number, percent } from './words.js';

const LATEST = 2; // transitions shown, besides the one that began it

export class Tile {
  constructor(breaker) {
    this.breaker = breaker;
    this.element = fromTemplate('tile');
    this.element.tile = this;
    this.link = this.element.firstElementChild;
    this.link.href = `#${encodeURIComponent(breaker.name)}`;
    this.link.tabIndex = -1;
    this.parts = {};
    for (const part of ['name', 'badge', 'condition', 'next', 'override', 'journal', 'bars'])
      this.parts[part] = this.link.querySelector(`.${part}`);
    for (const figure of ['calls', 'failed', 'slow', 'rejected', 'flying'])
      this.parts[figure] = this.link.querySelector(`b.${figure}`);
    setText(this.parts.name, breaker.name);
    this.near = false; // whether it can be seen, or nearly
    this.stale = true; // whether what it shows is older than what is known
  }

  // The state always; the rest only where somebody sees it.
  show(clock) {
    const { breaker, element } = this;
    showState(this.parts.badge, breaker.state);
    if (element.dataset.state !== breaker.state) element.dataset.state = breaker.state;
    element.classList.toggle('failing', breaker.failing);
    this.stale = !this.near;
    if (this.near) this.showRest(clock);
  }

  showRest(clock) {
    const { breaker, parts } = this;
    this.tick(clock);
    showEntries(parts.journal, this.latest(), clock.wall);
    this.showFigures();
    if (parts.bars.shown !== breaker.facts.recent) draw(parts.bars, (parts.bars.shown = breaker.facts.recent ?? []));
  }

  showFigures() {
    const { parts } = this;
    const said = figures(this.breaker, percent, number);
    setText(parts.calls, said.calls);
    setText(parts.failed, said.failed ?? '0%');
    setText(parts.slow, said.slow ?? '');
    setHidden(parts.slow.parentElement, said.slow === null);
    setText(parts.rejected, said.rejected);
    setText(parts.flying, said.flying);
  }

  // The newest transitions, newest first, and the one that began the present condition.
  latest() {
    const { breaker } = this;
    if (breaker.state === 'closed') return breaker.transitions.slice(-1);
    const newest = breaker.transitions.slice(-LATEST).reverse();
    const first = breaker.beginning;
    if (OVERRIDES.includes(breaker.state)) return newest.filter((event) => event !== first); // told above them
    return first && !newest.includes(first) ? [...newest, first] : newest;
  }

  // Only what time changes.
  tick(clock) {
    showCondition(this.parts, this.breaker, clock);
  }
}
