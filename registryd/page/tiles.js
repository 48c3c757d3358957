// The grid of tiles: which there are, in which order, which of them the keyboard is on, which can be seen.
import { arrange } from './dom.js';
import { Tile } from './tile.js';

const NEAR = '300px'; // beyond the screen's edge: tiles there are kept up to date, too
const FLASH_MS = 2000;

export class Tiles {
  constructor(list) {
    this.list = list;
    this.tiles = new Map(); // breaker -> its tile, also of those that the filter hides
    this.observer = new IntersectionObserver((entries) => this.seen(entries), { rootMargin: NEAR });
    list.addEventListener('keydown', (event) => this.key(event));
    list.addEventListener('focusin', (event) => this.hold(event.target.closest('li')));
  }

  // Show these breakers in this order; `all` there are.
  show(breakers, all, clock) {
    this.clock = clock;
    for (const breaker of this.tiles.keys()) if (all.get(breaker.name) !== breaker) this.drop(breaker);
    const tiles = breakers.map((breaker) => this.tile(breaker));
    arrange(
      this.list,
      tiles.map((tile) => tile.element),
    );
    for (const tile of tiles) tile.show(clock);
    if (!this.held?.isConnected) this.hold(this.list.firstElementChild);
  }

  tick(clock) {
    this.clock = clock;
    for (const tile of this.tiles.values()) if (tile.near) tile.tick(clock);
  }

  // Show what has just happened to a breaker, and draw the eye to it.
  announce(breaker, clock) {
    const tile = this.tiles.get(breaker);
    if (!tile) return; // the filter has hidden it so far
    tile.show(clock);
    tile.element.classList.add('news');
    setTimeout(() => tile.element.classList.remove('news'), FLASH_MS);
  }

  tile(breaker) {
    if (!this.tiles.has(breaker)) {
      const tile = new Tile(breaker);
      this.tiles.set(breaker, tile);
      this.observer.observe(tile.element);
    }
    return this.tiles.get(breaker);
  }

  drop(breaker) {
    this.observer.unobserve(this.tiles.get(breaker).element);
    this.tiles.delete(breaker);
  }

  seen(entries) {
    for (const { target, isIntersecting } of entries) {
      target.tile.near = isIntersecting;
      if (isIntersecting && target.tile.stale) target.tile.show(this.clock);
    }
  }

  // The one tile that Tab leads to.
  hold(element) {
    if (this.held) this.held.tile.link.tabIndex = -1;
    this.held = element;
    if (element) element.tile.link.tabIndex = 0;
  }

  // Put the keyboard on the held tile.
  focus() {
    this.held?.tile.link.focus();
  }

  key(event) {
    const shown = [...this.list.children];
    const columns = getComputedStyle(this.list).gridTemplateColumns.split(' ').length;
    const last = shown.length - 1;
    const here = shown.indexOf(this.held);
    const there = {
      ArrowRight: here + 1,
      ArrowLeft: here - 1,
      ArrowDown: Math.min(here + columns, last),
      ArrowUp: here - columns,
      Home: 0,
      End: last,
    }[event.key];
    if (there === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    shown[there]?.tile.link.focus();
  }
}
