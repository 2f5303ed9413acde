// Names beside what is outlined on a picture: inside the picture, and off every outline where there is room.

/** @typedef {[x: number, y: number]} Point */

/**
 * @typedef {object} Box
 * @property {number} left
 * @property {number} top
 * @property {number} right
 * @property {number} bottom
 */

/**
 * A name and the polygons that it names, in fractions of the picture's sides.
 *
 * @typedef {object} OutlineLabel
 * @property {string} text
 * @property {Point[][]} polygons
 * @property {string} [kind] class of its own
 */

/**
 * Points along the edges of a polygon, one per step at least.
 *
 * @param {Point[]} polygon
 * @param {number} step
 * @returns {Point[]}
 */
function along(polygon, step) {
  return polygon.flatMap(([x, y], index) => {
    const [toX, toY] = polygon[(index + 1) % polygon.length];
    const count = Math.max(1, Math.ceil(Math.hypot(toX - x, toY - y) / step));
    return Array.from({ length: count }, (_, part) => /** @type {Point} */ ([x + ((toX - x) * part) / count, y + ((toY - y) * part) / count]));
  });
}

/** @type {(box: Box, point: Point) => boolean} */
const holds = ({ left, top, right, bottom }, [x, y]) => x >= left && x <= right && y >= top && y <= bottom;
/** @type {(box: Box, by: number) => Box} */
const wider = ({ left, top, right, bottom }, by) => ({ left: left - by, top: top - by, right: right + by, bottom: bottom + by });
/** @type {(one: Box, other: Box) => boolean} */
const overlap = (one, other) => one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;

/**
 * Where the names of outlines stand: each above, below, left or right of what it names, the first of these that covers
 * no outline and no other name, or else the one that covers least.
 *
 * @param {{ polygons: Point[][], width: number, height: number }[]} labels outlines, and the size of each one's name
 * @param {Box} frame what is seen of the picture; names stay in it
 * @returns {(Box | null)[]} null where nothing of the outline is seen
 */
export function placeLabels(labels, frame) {
  const step = Math.min(...labels.map((label) => label.height)) / 4;
  const seen = labels.map(({ polygons }) => polygons.flatMap((polygon) => along(polygon, step)).filter((point) => holds(frame, point)));
  const lines = seen.flat();
  /** @type {Box[]} */
  const taken = [];
  return labels.map(({ width, height }, index) => {
    if (seen[index].length === 0) return null;
    const boxes = besides(seen[index], width, height, frame);
    const costs = boxes.map((box) => {
      const near = wider(box, step); // a line that is touched reads as one that is crossed
      return lines.filter((point) => holds(near, point)).length + taken.filter((other) => overlap(near, other)).length * lines.length;
    });
    const placed = boxes[costs.indexOf(Math.min(...costs))];
    taken.push(placed);
    return placed;
  });
}

/**
 * The places beside an outline, moved into the frame.
 *
 * @param {Point[]} points of the outline
 * @param {number} width
 * @param {number} height
 * @param {Box} frame
 * @returns {Box[]} above, below, left and right of it
 */
function besides(points, width, height, frame) {
  const gap = height / 3;
  /** @type {(value: (point: Point) => number) => Point} */
  const least = (value) => points.reduce((best, point) => (value(point) < value(best) ? point : best));
  const [high, low] = [least(([, y]) => y), least(([, y]) => -y)];
  const [near, far] = [least(([x]) => x), least(([x]) => -x)];
  /** @type {Point[]} */
  const corners = [
    [high[0] - width / 2, high[1] - gap - height],
    [low[0] - width / 2, low[1] + gap],
    [near[0] - gap - width, near[1] - height / 2],
    [far[0] + gap, far[1] - height / 2],
  ];
  return corners.map(([x, y]) => {
    const left = Math.max(frame.left, Math.min(x, frame.right - width));
    const top = Math.max(frame.top, Math.min(y, frame.bottom - height));
    return { left, top, right: left + width, bottom: top + height };
  });
}

/** @type {WeakMap<HTMLElement, ResizeObserver>} */
const observers = new WeakMap();
const INSET = 3; // pixels between a name and the picture's border

/**
 * Write names on a picture, in the place of those that it had; they keep their places when it changes its size. They
 * are no text for screen readers: the picture's own description says what is outlined.
 *
 * @param {HTMLElement} picture an element in which elements can be placed
 * @param {OutlineLabel[]} labels
 */
export function labelOutlines(picture, labels) {
  observers.get(picture)?.disconnect();
  for (const former of picture.querySelectorAll(".outline-label")) former.remove();
  const names = labels.map(({ text, kind = "" }) => {
    const name = document.createElement("span");
    name.className = `outline-label ${kind}`;
    name.textContent = text;
    name.setAttribute("aria-hidden", "true");
    return name;
  });
  picture.append(...names);
  const observer = new ResizeObserver(() => {
    const [width, height] = [picture.clientWidth, picture.clientHeight];
    const sized = labels.map(({ polygons }, index) => ({
      polygons: polygons.map((polygon) => polygon.map(([x, y]) => /** @type {Point} */ ([x * width, y * height]))),
      width: names[index].offsetWidth,
      height: names[index].offsetHeight,
    }));
    placeLabels(sized, { left: INSET, top: INSET, right: width - INSET, bottom: height - INSET }).forEach((box, index) => {
      names[index].style.visibility = box ? "visible" : "hidden";
      if (box) [names[index].style.left, names[index].style.top] = [`${box.left}px`, `${box.top}px`];
    });
  });
  observers.set(picture, observer);
  for (const each of labels.length > 0 ? [picture, ...names] : []) observer.observe(each);
}
