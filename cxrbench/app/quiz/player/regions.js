// Where a mark, a lesion and a map are, on one grid: as cxrbench.teaching.quiz.regions, which a test compares.

/** @import { PatternData } from "./schema.js" */

/**
 * A disc on a square film, in fractions of its side.
 *
 * @typedef {object} Mark
 * @property {number} x
 * @property {number} y
 * @property {number} radius
 */

/**
 * How far the regions of mark and map are the same; null where one of them is empty.
 *
 * @typedef {object} Overlap
 * @property {number | null} iou
 * @property {number | null} of_mark
 * @property {number | null} of_map
 */

const MOSTLY = 0.5; // from which an overlap counts as one

/**
 * Cells of a region, as Python packed them: one bit per cell, the first is the highest of its byte.
 *
 * @param {string} base64
 * @param {number} grid cells per side
 * @returns {boolean[]}
 */
export function decodeCells(base64, grid) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.codePointAt(0) ?? 0);
  return Array.from({ length: grid * grid }, (_, cell) => ((bytes[cell >> 3] >> (7 - (cell & 7))) & 1) === 1);
}

/**
 * Distance of a mark's centre from the nearest cell of a lesion, in fractions of the film's side; null without cells.
 *
 * @param {boolean[]} lesion
 * @param {number} grid
 * @param {Mark} mark
 * @returns {number | null}
 */
export function distanceTo(lesion, grid, mark) {
  const [row, column] = [mark.y, mark.x].map((place) => Math.min(grid - 1, Math.max(0, Math.floor(place * grid))));
  if (lesion[row * grid + column]) return 0;
  let nearest = Infinity;
  lesion.forEach((inside, cell) => {
    if (!inside) return;
    const x = ((cell % grid) + 0.5) / grid - mark.x;
    const y = (Math.floor(cell / grid) + 0.5) / grid - mark.y;
    nearest = Math.min(nearest, Math.hypot(x, y));
  });
  return Number.isFinite(nearest) ? nearest : null;
}

/**
 * @param {boolean[] | null} region of a map; null without one
 * @param {number} grid
 * @param {Mark} mark
 * @returns {Overlap}
 */
export function overlapOf(region, grid, mark) {
  let [both, inMark, inMap] = [0, 0, 0];
  for (let row = 0; row < grid; row++) {
    for (let column = 0; column < grid; column++) {
      const [x, y] = [(column + 0.5) / grid - mark.x, (row + 0.5) / grid - mark.y];
      const marked = x ** 2 + y ** 2 <= mark.radius ** 2;
      const warm = region?.[row * grid + column] ?? false;
      if (marked) inMark++;
      if (warm) inMap++;
      if (marked && warm) both++;
    }
  }
  if (inMark === 0 || inMap === 0) return { iou: null, of_mark: null, of_map: null };
  return { iou: both / (inMark + inMap - both), of_mark: both / inMark, of_map: both / inMap };
}

/**
 * The pattern of an overlap; undefined where the overlap is not defined.
 *
 * @param {Overlap} overlap
 * @param {boolean} aiRight
 * @param {PatternData[]} patterns
 * @returns {PatternData | undefined}
 */
export function patternOf(overlap, aiRight, patterns) {
  if (overlap.iou === null) return undefined;
  /** @type {[string, number | null][]} */
  const measured = [
    ["same", overlap.iou],
    ["map in mark", overlap.of_map],
    ["mark in map", overlap.of_mark],
  ];
  const agreement = measured.find(([, value]) => value !== null && value >= MOSTLY)?.[0] ?? "elsewhere";
  return patterns.find((pattern) => pattern.agreement === agreement && pattern.ai_right === aiRight);
}
