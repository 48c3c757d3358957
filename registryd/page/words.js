// How times, numbers and names read. Pure functions.

const DECIMAL = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const CLOCK = new Intl.DateTimeFormat([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const DAY = new Intl.DateTimeFormat([], { month: 'short', day: 'numeric' });

// 1204 -> "1,204"; 0.25 -> "0.3"; 12345.6 -> "12,346".
export function number(value) {
  return (Math.abs(value) < 100 ? DECIMAL : WHOLE).format(value);
}

// "1 worker", "2 workers".
export function many(count, noun) {
  return `${number(count)} ${noun}${count === 1 ? '' : 's'}`;
}

// 96.4 -> "96%"; what is neither nothing nor everything never reads as such.
export function percent(value) {
  if (value > 0 && value < 1) return '<1%';
  if (value > 99 && value < 100) return '>99%';
  return `${Math.round(value)}%`;
}

// Whole seconds, rounded up, in the two largest units: "12s", "3m 12s", "2h 5m", "4d 3h".
export function duration(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const units = [
    [86400, 'd', 3600, 'h'],
    [3600, 'h', 60, 'm'],
    [60, 'm', 1, 's'],
  ];
  for (const [size, name, partSize, partName] of units) {
    if (seconds < size) continue;
    const part = Math.floor((seconds % size) / partSize);
    return `${Math.floor(seconds / size)}${name}${part ? ` ${part}${partName}` : ''}`;
  }
  return `${seconds}s`;
}

// A latency from microseconds: "850µs", "12ms", "1.5s".
export function latency(us) {
  if (us < 1000) return `${us}µs`;
  if (us < 1e6) return `${DECIMAL.format(us / 1e3)}ms`;
  return `${DECIMAL.format(us / 1e6)}s`;
}

// The moment of an event, by the reader's clock: "02:41:10", with the day if it is not today's.
export function moment(ms, now) {
  const then = new Date(ms);
  const day = then.toDateString() === new Date(now).toDateString() ? '' : `${DAY.format(then)} `;
  return day + CLOCK.format(then);
}
