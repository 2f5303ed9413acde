// A player in the page, and what follows from where its reader stands.

import { keep } from "./session.js";

/** @import { FilmData, QuizData } from "./schema.js" */
/** @import { Session } from "./session.js" */

/**
 * A player in the page.
 *
 * @typedef {object} Player
 * @property {HTMLElement} root
 * @property {QuizData} data
 * @property {Session} session
 * @property {boolean} map whether the AI's map is shown
 * @property {number} since when the clock of this step was started, in ms
 * @property {string} timed the step whose clock runs
 */

/** @type {(player: Player) => FilmData[]} */
const filmsOf = ({ data, session }) => (session.phase === "retest" ? data.retest : data.items);
/** @type {(player: Player) => number} */
export const countOf = ({ data, session }) => (session.phase === "retest" ? data.retest_films : data.films);
/** @type {(player: Player) => FilmData | undefined} */
export const filmOf = (player) => filmsOf(player)[player.session.place];

/**
 * Whether the AI's answer can be shown: with its map, so that nobody answers before it has come.
 *
 * @param {FilmData | undefined} film
 * @returns {boolean}
 */
export const aiReady = (film) => Boolean(film?.ai?.ready);

/**
 * Seconds spent in this step so far.
 *
 * @param {Player} player
 * @returns {number}
 */
export const secondsOf = (player) => player.session.draft.seconds + (performance.now() - player.since) / 1000;

/**
 * Store the session with the time so far.
 *
 * @param {Player} player
 */
export function saveSession(player) {
  if (player.timed) {
    player.session.draft.seconds = secondsOf(player);
    player.since = performance.now();
  }
  keep(player.data.id, player.session);
}
