// The last minutes as bars, one a period: failures below, other calls above them, rejections on top.

const BAR = 2; // wide in the picture's own units, with the gap to the next
const GAP = 0.4;
const HEIGHT = 24;
export const PERIODS = 60;

// `recent`: [[calls, failures, rejected], ...], oldest first. Returns three path descriptions and the tallest bar.
export function bars(recent) {
  const most = Math.max(1, ...recent.map(([calls, , rejected]) => calls + rejected));
  const paths = { failures: '', calls: '', rejected: '' };
  recent.forEach(([calls, failures, rejected], i) => {
    const x = (PERIODS - recent.length + i) * BAR;
    let y = HEIGHT;
    const stack = (kind, amount) => {
      if (!amount) return;
      const height = Math.max(0.7, (amount / most) * HEIGHT); // one call of a thousand is seen, too
      y -= height;
      paths[kind] += `M${x} ${y.toFixed(2)}h${BAR - GAP}v${height.toFixed(2)}h${GAP - BAR}z`;
    };
    stack('failures', failures);
    stack('calls', calls - failures);
    stack('rejected', rejected);
  });
  return { paths, most };
}

// Draw into an <svg> with a path of each class.
export function draw(svg, recent) {
  const { paths, most } = bars(recent);
  for (const [kind, path] of Object.entries(paths)) svg.querySelector(`.${kind}`).setAttribute('d', path);
  return most;
}
