// When to draw: at most ten times a second, never in a hidden tab (the browser gives it no frames),
// and each second, because ages grow.

const APART = 100; // milliseconds; nobody reads faster, and a busy cluster would cost a whole core

const drawers = [];
let asked = false;
let last = -Infinity;

/** Have `drawer` called with every frame that draws. */
export function drawing(drawer) {
  drawers.push(drawer);
}

/** Something changed: draw soon. */
export function redraw() {
  if (asked) return;
  asked = true;
  setTimeout(() => requestAnimationFrame(draw), Math.max(0, last + APART - performance.now()));
}

function draw() {
  asked = false;
  last = performance.now();
  for (const drawer of drawers) drawer();
}

setInterval(redraw, 1000);

/** Seconds on a clock that nobody sets. */
export function now() {
  return performance.now() / 1000;
}
