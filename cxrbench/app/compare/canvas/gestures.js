// Mouse, touch and keyboard on a picture: point, drag, pinch, arrows. All panels follow one view and one cross-hair.

import { windowOf } from "./draw.js";
import { clamp, settle, zoomAt } from "./view.js";

/** @import { Bench } from "./index.js" */
/** @typedef {{ clientX: number, clientY: number }} Point */

/**
 * A pointer's place on the radiograph, in its pixels.
 *
 * @param {Point} event
 * @param {HTMLElement} frame
 * @param {Bench} bench
 * @returns {{ x: number, y: number, scale: number }}
 */
function placeOf(event, frame, bench) {
  const box = frame.getBoundingClientRect();
  const { scale, left, top } = windowOf(bench.view, bench.picture, box.width, box.height);
  return { x: (event.clientX - box.left - left) / scale, y: (event.clientY - box.top - top) / scale, scale };
}

/**
 * Put the cross-hair on a point of the radiograph.
 *
 * @param {Bench} bench
 * @param {number} x
 * @param {number} y
 */
function pointAt(bench, x, y) {
  const { picture } = bench;
  bench.cross = { x: clamp(x, 0, picture.width - 0.01), y: clamp(y, 0, picture.height - 0.01) };
  bench.refresh("cross");
}

/**
 * @param {HTMLElement} frame
 * @param {Bench} bench
 */
export function listen(frame, bench) {
  /** @type {Map<number, PointerEvent>} */
  const pointers = new Map();
  frame.addEventListener("pointerdown", (event) => {
    pointers.set(event.pointerId, event);
    const place = placeOf(event, frame, bench);
    pointAt(bench, place.x, place.y);
    if (event.pointerType === "mouse") frame.setPointerCapture(event.pointerId);
  });
  frame.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (before && bench.view.zoom > 1 && pointers.size === 1) drag(event, before, frame, bench);
    else if (pointers.size === 2 && before) pinch(event, before, pointers, frame, bench);
    else {
      const place = placeOf(event, frame, bench);
      pointAt(bench, place.x, place.y);
    }
    if (before) pointers.set(event.pointerId, event);
  });
  /** @type {("pointerup" | "pointercancel" | "lostpointercapture")[]} */
  const ends = ["pointerup", "pointercancel", "lostpointercapture"];
  for (const name of ends) frame.addEventListener(name, (event) => pointers.delete(event.pointerId));
  frame.addEventListener("pointerleave", (event) => {
    pointers.delete(event.pointerId);
    if (event.pointerType !== "mouse" || frame.matches(":focus-visible")) return;
    bench.cross = null;
    bench.refresh("cross");
  });
  frame.addEventListener("dblclick", (event) => {
    const place = placeOf(event, frame, bench);
    zoomAt(bench.view, 2, place.x / bench.picture.width, place.y / bench.picture.height);
    bench.refresh("draw");
  });
  // Without Ctrl or ⌘ the wheel belongs to the page; a pinch on a touch pad arrives as Ctrl and wheel.
  frame.addEventListener("wheel", (event) => wheel(event, frame, bench), { passive: false });
  frame.addEventListener("keydown", (event) => press(event, bench));
}

/**
 * @param {PointerEvent} event
 * @param {PointerEvent} before the same pointer's last event
 * @param {HTMLElement} frame
 * @param {Bench} bench
 */
function drag(event, before, frame, bench) {
  const { scale } = placeOf(event, frame, bench);
  bench.view.x -= (event.clientX - before.clientX) / scale / bench.picture.width;
  bench.view.y -= (event.clientY - before.clientY) / scale / bench.picture.height;
  settle(bench.view);
  bench.refresh("draw");
}

/**
 * @param {PointerEvent} event
 * @param {PointerEvent} before the same pointer's last event
 * @param {Map<number, PointerEvent>} pointers both
 * @param {HTMLElement} frame
 * @param {Bench} bench
 */
function pinch(event, before, pointers, frame, bench) {
  const [first, second] = [...pointers.values()];
  const other = first.pointerId === event.pointerId ? second : first;
  /** @type {(one: Point) => number} */
  const span = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
  const middle = { clientX: (event.clientX + other.clientX) / 2, clientY: (event.clientY + other.clientY) / 2 };
  const place = placeOf(middle, frame, bench);
  zoomAt(bench.view, span(event) / Math.max(1, span(before)), place.x / bench.picture.width, place.y / bench.picture.height);
  bench.refresh("draw");
}

/**
 * @param {WheelEvent} event
 * @param {HTMLElement} frame
 * @param {Bench} bench
 */
function wheel(event, frame, bench) {
  if (!event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  const place = placeOf(event, frame, bench);
  zoomAt(bench.view, Math.exp(-event.deltaY / 300), place.x / bench.picture.width, place.y / bench.picture.height);
  bench.refresh("draw");
}

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** @type {Record<string, number>} */
const ZOOMS = { "+": 1.5, "=": 1.5, "-": 1 / 1.5 };

/**
 * @param {KeyboardEvent} event
 * @param {Bench} bench
 */
function press(event, bench) {
  const { picture, view } = bench;
  const zoom = ZOOMS[event.key];
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key in ARROWS) {
    const [dx, dy] = ARROWS[event.key];
    const step = (picture.width / view.zoom) * (event.shiftKey ? 0.1 : 0.01);
    const from = bench.cross ?? { x: view.x * picture.width, y: view.y * picture.height };
    pointAt(bench, from.x + dx * step, from.y + dy * step);
    event.stopPropagation(); // the page goes to another film of a case list by Shift and an arrow
    if (bench.cross) follow(bench, bench.cross);
  } else if (zoom) {
    const at = bench.cross ?? { x: view.x * picture.width, y: view.y * picture.height };
    zoomAt(view, zoom, at.x / picture.width, at.y / picture.height);
    bench.refresh("draw");
  } else if (event.key === "0") {
    Object.assign(view, { zoom: 1, x: 0.5, y: 0.5 });
    bench.refresh("draw");
  } else if (event.key === "Escape") {
    bench.cross = null;
    bench.refresh("cross");
  } else return;
  event.preventDefault();
}

/**
 * Keep a cross-hair that is moved by keys inside the window.
 *
 * @param {Bench} bench
 * @param {{ x: number, y: number }} cross
 */
function follow(bench, cross) {
  const { picture, view } = bench;
  const reach = 0.45 / view.zoom;
  view.x = clamp(view.x, cross.x / picture.width - reach, cross.x / picture.width + reach);
  view.y = clamp(view.y, cross.y / picture.height - reach, cross.y / picture.height + reach);
  settle(view);
  bench.refresh("draw");
}
