// What the daemon says: numbers by asking while the page is visible, events as they come.

const PERIOD_MS = 1000; // between two questions
const LONGEST_PERIOD_MS = 4000;
const SHARE = 10; // of the time, at most one in so many is spent on questions and answers
const PATIENCE_MS = 3000; // with a daemon that does not answer

// handlers: numbers(answer, at), event(event), silence(sentence), events(live: boolean).
export class Feed {
  constructor(handlers) {
    this.handlers = handlers;
    this.last = null; // the id of the newest event
    this.running = false;
    document.addEventListener('visibilitychange', () => (document.hidden ? this.stop() : this.start()));
  }

  start() {
    if (this.running || document.hidden) return;
    this.running = true;
    this.ask();
  }

  // A hidden page asks for nothing, and gives its connection back: a browser has few for one host.
  stop() {
    this.running = false;
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  // Ask now rather than at the next turn, because something has changed.
  hurry() {
    if (this.running && !this.asking) this.ask();
  }

  async ask() {
    clearTimeout(this.timer);
    const began = performance.now();
    let pause = PERIOD_MS;
    this.asking = true;
    try {
      const answer = await question('api/v1/breakers');
      if (!this.running) return;
      this.handlers.numbers(answer, performance.now());
      this.listen();
      pause = Math.min(LONGEST_PERIOD_MS, Math.max(PERIOD_MS, (performance.now() - began) * SHARE));
    } catch (error) {
      if (this.running) this.handlers.silence(sentence(error));
    } finally {
      this.asking = false;
      if (this.running) this.timer = setTimeout(() => this.ask(), pause);
    }
  }

  // The browser connects anew by itself, unless the daemon refused.
  listen() {
    if (this.source && this.source.readyState !== EventSource.CLOSED) return;
    this.source = new EventSource(`api/v1/events?after=${this.last ?? 0}`);
    this.source.onopen = () => this.handlers.events(true);
    this.source.onerror = () => this.handlers.events(false);
    this.source.onmessage = (message) => this.heard(JSON.parse(message.data), message.lastEventId);
  }

  heard(event, id) {
    const past = this.last === null && event.cause === 'missed'; // before what the journal holds
    this.last = id;
    if (!past) this.handlers.event(event);
  }
}

async function question(path) {
  const answer = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!answer.ok) throw new Error(await refusal(answer));
  return answer.json();
}

// What a refusal says, in words: the daemon answers {"error": "..."}.
export async function refusal(answer) {
  const text = await answer.text();
  try {
    return JSON.parse(text).error ?? `it answered ${answer.status}`;
  } catch {
    return `it answered ${answer.status} ${answer.statusText}`.trim();
  }
}

function sentence(error) {
  if (error.name === 'TimeoutError') return `no answer within ${PATIENCE_MS / 1000} s`;
  if (error instanceof TypeError) return 'it cannot be reached';
  return error.message;
}
