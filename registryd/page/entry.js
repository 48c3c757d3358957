// One event as a line: when, what, who, why.
import { fromTemplate, setText } from './dom.js';
import { moment } from './words.js';

// Who caused an event: "php-fpm[4711]", "registryd".
export function actor(event) {
  const process = event.command ? `${event.command}[${event.pid}]` : event.pid ? `pid ${event.pid}` : 'registryd';
  return event.uid === null || event.uid === undefined ? process : `uid ${event.uid}, ${process}`;
}

export function createEntry(event, now) {
  const entry = fromTemplate('entry');
  entry.classList.toggle('filled', Boolean(event.filled));
  entry.dataset.state = event.to;
  const time = entry.querySelector('time');
  time.dateTime = event.time;
  setText(time, moment(event.at, now));
  entry.querySelector('use').setAttribute('href', `#shape-${event.to}`);
  setText(entry.querySelector('.text'), event.text);
  setText(entry.querySelector('.who'), event.filled ? 'filled in by registryd' : `by ${actor(event)}`);
  setText(entry.querySelector('.reason'), event.reason ? `“${event.reason}”` : '');
  return entry;
}

// Fill `list` with these events, making lines only for another choice of events.
export function showEntries(list, events, now) {
  const key = events.map((event) => `${event.sequence}@${event.time}`).join();
  if (list.shownEntries === key) return;
  list.shownEntries = key;
  list.replaceChildren(...events.map((event) => createEntry(event, now)));
}
