// Where a reader stands in a quiz: kept in the browser's session storage alone, so that a reload loses nothing.

/** @import { Answer } from "./figures.js" */
/** @import { Mark } from "./regions.js" */

/**
 * What is answered to a film so far.
 *
 * @typedef {object} Draft
 * @property {boolean | null} present
 * @property {number} confidence in [0.5, 1]
 * @property {Mark | null} mark
 * @property {number} seconds spent so far in this step
 */

/**
 * @typedef {object} Session
 * @property {"quiz" | "results" | "retest"} phase
 * @property {"alone" | "with" | "truth"} step of the film
 * @property {number} place of the film in its round
 * @property {Draft} draft
 * @property {Answer[]} answers of the quiz
 * @property {Answer[]} retest
 */

const RADIUS = 0.08; // of the first mark

/**
 * @returns {Draft}
 */
export const emptyDraft = () => ({ present: null, confidence: 0.75, mark: null, seconds: 0 });
/** @returns {Session} */
const emptySession = () => ({ phase: "quiz", step: "alone", place: 0, draft: emptyDraft(), answers: [], retest: [] });
/**
 * @param {string} id
 * @returns {string}
 */
const nameOf = (id) => `cxrbench quiz ${id}`;

/**
 * The session of a quiz in this tab; a new one if there is none.
 *
 * @param {string} id of the quiz
 * @returns {Session}
 */
export function restore(id) {
  try {
    const text = sessionStorage.getItem(nameOf(id));
    return text ? { ...emptySession(), ...JSON.parse(text) } : emptySession();
  } catch {
    return emptySession(); // storage is switched off, or holds something else
  }
}

/**
 * @param {string} id
 * @param {Session} session
 */
export function keep(id, session) {
  try {
    sessionStorage.setItem(nameOf(id), JSON.stringify(session));
  } catch {
    // Storage is switched off: answers last as long as the page.
  }
}

/**
 * Forget all answers.
 *
 * @param {string} id
 * @returns {Session}
 */
export function startAgain(id) {
  const session = emptySession();
  keep(id, session);
  return session;
}

/** @type {(value: number) => number} */
const withinFilm = (value) => Math.min(1, Math.max(0, value));

/**
 * A mark moved by fractions of the film's side, kept on the film; the first one appears in the middle.
 *
 * @param {Mark | null} mark
 * @param {number} across
 * @param {number} down
 * @returns {Mark}
 */
export function moved(mark, across, down) {
  if (!mark) return { x: 0.5, y: 0.5, radius: RADIUS };
  return { x: withinFilm(mark.x + across), y: withinFilm(mark.y + down), radius: mark.radius };
}

/**
 * A mark at a place, with the size of the one before.
 *
 * @param {Mark | null} mark
 * @param {number} x
 * @param {number} y
 * @returns {Mark}
 */
export const placed = (mark, x, y) => ({ x, y, radius: mark?.radius ?? RADIUS });

/**
 * @param {Mark} mark
 * @param {number} factor
 * @returns {Mark}
 */
export const resized = (mark, factor) => ({ ...mark, radius: Math.min(0.3, Math.max(0.02, mark.radius * factor)) });
