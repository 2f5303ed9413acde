// The film of the player: picture, map, outline of the lesion and the reader's mark, which the pointer or keys move.

import { find } from "../../widgets/dom.js";
import { labelOutlines } from "../../widgets/outline_labels.js";

/** @import { FilmData } from "./schema.js" */
/** @import { Mark } from "./regions.js" */
/** @import { OutlineLabel, Point } from "../../widgets/outline_labels.js" */

const UNIT = 1000; // the drawing's units per side of the film

/**
 * An SVG element.
 *
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @returns {SVGElement}
 */
function shapeOf(tag, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}

/**
 * Each line twice: dark and wide below, light and narrow above, so that it is seen on every film.
 *
 * @param {string} kind class of the lines
 * @param {string} d
 * @returns {SVGElement[]}
 */
const lines = (kind, d) => ["under", "over"].map((layer) => shapeOf("path", { class: `${kind} ${layer}`, d }));

/**
 * @param {Mark} mark
 * @returns {string} a circle and a cross at its centre
 */
function markPath({ x, y, radius }) {
  const [left, top, r] = [x * UNIT, y * UNIT, radius * UNIT];
  const arm = Math.min(14, r / 2);
  const circle = `M${left - r} ${top}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
  return `${circle}M${left - arm} ${top}h${2 * arm}M${left} ${top - arm}v${2 * arm}`;
}

/**
 * The polygons of a path, in fractions of the film's sides.
 *
 * @param {string} path as of `FilmData.outline`
 * @returns {Point[][]}
 */
const polygonsOf = (path) =>
  path
    .split("M")
    .slice(1)
    .map((polygon) => [...polygon.matchAll(/(\d+) (\d+)/gu)].map(([, x, y]) => /** @type {Point} */ ([Number(x) / UNIT, Number(y) / UNIT])));

/**
 * @param {Mark} mark
 * @returns {Point[]} the circle as a polygon, in fractions of the film's sides
 */
const circleOf = ({ x, y, radius }) =>
  Array.from({ length: 24 }, (_, part) => [x + radius * Math.cos((part * Math.PI) / 12), y + radius * Math.sin((part * Math.PI) / 12)]);

/**
 * @typedef {object} Shown
 * @property {Mark | null} mark
 * @property {boolean} named whether mark and outline carry their names
 * @property {boolean} map
 * @property {boolean} truth whether the lesion is outlined
 * @property {string} finding
 */

/**
 * @param {string} outline of the lesion; "" for none
 * @param {Shown} shown
 * @returns {OutlineLabel[]}
 */
function labelsOf(outline, { mark, named, finding }) {
  const lesion = outline ? [{ text: finding, polygons: polygonsOf(outline) }] : [];
  return named && mark ? [...lesion, { text: "Your mark", kind: "yours", polygons: [circleOf(mark)] }] : lesion;
}

/**
 * Draw a film.
 *
 * @param {HTMLElement} root of the player
 * @param {FilmData | undefined} film undefined while it is prepared
 * @param {Shown} shown
 */
export function drawFilm(root, film, shown) {
  const base = find(root, ".base", HTMLImageElement);
  const map = find(root, ".map", HTMLImageElement);
  const source = film?.picture ?? "";
  if (base.getAttribute("src") !== source) base.setAttribute("src", source);
  base.hidden = !film;
  const overlay = (shown.map && film?.ai?.map) || "";
  if (map.getAttribute("src") !== overlay) map.setAttribute("src", overlay);
  map.hidden = !overlay;
  const outline = (shown.truth && film?.outline) || "";
  const mark = shown.mark ? lines("mark", markPath(shown.mark)) : [];
  find(root, ".marks", SVGElement).replaceChildren(...(outline ? lines("lesion", outline) : []), ...mark);
  labelOutlines(find(root, ".film", HTMLElement), labelsOf(outline, shown));
  const waiting = find(root, ".waiting", HTMLElement);
  waiting.hidden = Boolean(film);
  waiting.textContent = film ? "" : "The film is being rendered …";
  find(root, ".film", HTMLElement).setAttribute("aria-label", filmLabel(shown));
}

/** @type {(value: number) => string} */
const percent = (value) => `${Math.round(100 * value)} %`;

/**
 * What the film shows, for those who do not see it.
 *
 * @param {Shown} shown
 * @returns {string}
 */
function filmLabel({ mark, map, truth, finding }) {
  const parts = [
    "Chest radiograph",
    map ? "with the AI's map over it" : "",
    truth ? `with the true outline of ${finding}, if it is present` : "",
    mark ? `Your mark is ${percent(mark.x)} from the left and ${percent(mark.y)} from the top` : "",
    truth ? "" : "Arrow keys move the mark, plus and minus change its size",
  ];
  return `${parts.filter(Boolean).join(". ")}.`;
}

/**
 * Let the pointer place the mark, by a click or a touch, and a mouse drag it.
 *
 * @param {HTMLElement} root
 * @param {(x: number, y: number) => void} place takes fractions of the film's side
 */
export function listenToPointer(root, place) {
  const film = find(root, ".film", HTMLElement);
  /** @param {MouseEvent} event */
  const put = (event) => {
    const box = film.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    place(Math.min(1, Math.max(0, x)), Math.min(1, Math.max(0, y)));
  };
  film.onclick = put;
  film.onpointermove = (event) => {
    if (event.pointerType === "mouse" && event.buttons === 1) put(event);
  };
}
