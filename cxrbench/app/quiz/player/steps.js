// The steps of a quiz: answers, marks, and what each button does.

import { find } from "../../widgets/dom.js";
import { aiReady, countOf, filmOf, saveSession, secondsOf } from "./player.js";
import { say, show, showReading } from "./reading.js";
import { decodeCells, distanceTo, overlapOf } from "./regions.js";
import { element } from "./results.js";
import { emptyDraft, keep, resized, startAgain } from "./session.js";
import { answerTable } from "./table.js";

/** @import { Answer, Reading } from "./figures.js" */
/** @import { Player } from "./player.js" */
/** @import { FilmData } from "./schema.js" */
/** @import { Session } from "./session.js" */

/**
 * Go to another step, with the focus on what one does there.
 *
 * @param {Player} player
 * @param {Partial<Session>} step
 */
function go(player, step) {
  player.timed = "";
  player.map = true;
  Object.assign(player.session, step);
  keep(player.data.id, player.session);
  show(player);
  const { phase, step: now } = player.session;
  const selector = phase === "results" ? ".results h2" : now === "alone" ? ".film" : now === "with" ? ".ai" : '[data-do="next"]';
  find(player.root, selector, HTMLElement).focus({ preventScroll: phase !== "results" });
  // On a phone one has scrolled down to the buttons: the film comes back into sight.
  if (phase !== "results") find(player.root, now === "alone" ? ".bar" : ".film", HTMLElement).scrollIntoView({ block: "nearest" });
}

/**
 * The reading that the draft states.
 *
 * @param {Player} player
 * @returns {Reading}
 */
const readingOf = (player) => ({
  present: Boolean(player.session.draft.present),
  confidence: player.session.draft.confidence,
  seconds: secondsOf(player),
});

/**
 * The answer that the draft states to a film, with what is measured of its mark.
 *
 * @param {Player} player
 * @param {FilmData} film
 * @returns {Answer}
 */
function answerOf(player, film) {
  const { data, session } = player;
  const mark = session.draft.present ? session.draft.mark : null;
  return {
    film: film.film,
    present: film.present,
    alone: readingOf(player),
    ai_present: film.ai ? film.ai.present : null,
    inverted: film.ai?.inverted ?? false,
    with_ai: null,
    mark,
    distance: mark && film.lesion ? distanceTo(decodeCells(film.lesion, data.grid), data.grid, mark) : null,
    overlap: { iou: null, of_mark: null, of_map: null }, // until the map is there
  };
}

/**
 * Take the answer before score and map, or say what it lacks.
 *
 * @param {Player} player
 */
function answerAlone(player) {
  const { session, data } = player;
  const { draft, phase } = session;
  const film = filmOf(player);
  if (!film) return;
  if (draft.present === null) say(player, "Choose present or absent first.");
  else if (draft.present && !draft.mark) say(player, `Mark where you see ${data.finding}, or answer absent.`);
  else if (phase === "retest") {
    session.retest.push(answerOf(player, film));
    nextFilm(player);
  } else {
    session.answers.push(answerOf(player, film));
    go(player, { step: "with", draft: { ...draft, mark: draft.present ? draft.mark : null, seconds: 0 } });
  }
}

/**
 * Take the answer after score and map.
 *
 * @param {Player} player
 * @param {boolean} changed
 */
function answerWithAi(player, changed) {
  const { session, data } = player;
  const film = filmOf(player);
  const answer = session.answers.at(-1);
  if (!answer || !film || !aiReady(film)) return;
  if (answer.mark && film.ai?.region) {
    answer.overlap = overlapOf(decodeCells(film.ai.region, data.grid), data.grid, answer.mark);
  }
  answer.with_ai = { ...readingOf(player), present: answer.alone.present !== changed };
  go(player, { step: "truth" });
}

/**
 * The next film of the round, or the results.
 *
 * @param {Player} player
 */
function nextFilm(player) {
  const place = player.session.place + 1;
  if (place >= countOf(player)) go(player, { phase: "results", place: 0, step: "alone", draft: emptyDraft() });
  else go(player, { place, step: "alone", draft: emptyDraft() });
}

/**
 * Change the draft of the first answer.
 *
 * @param {Player} player
 * @param {Partial<Session["draft"]>} change
 */
export function redraft(player, change) {
  if (player.session.phase === "results" || player.session.step === "truth") return;
  Object.assign(player.session.draft, change);
  saveSession(player);
  showReading(player);
}

/**
 * Place the mark, which says that the finding is there.
 *
 * @param {Player} player
 * @param {Session["draft"]["mark"]} mark
 */
export function setMark(player, mark) {
  if (player.session.step === "alone" && filmOf(player)) redraft(player, { mark, present: true });
}

/**
 * Make the mark larger or smaller.
 *
 * @param {Player} player
 * @param {number} factor
 */
function resizeMark(player, factor) {
  const { mark } = player.session.draft;
  if (mark) setMark(player, resized(mark, factor));
}

/**
 * Save the answers as a file.
 *
 * @param {Player} player
 */
function saveTable({ data, session }) {
  const text = answerTable(data.columns, session.answers, session.retest);
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  element("a", { href: address, download: `${data.id.replaceAll(/[^\w.-]+/gu, "-")}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

/**
 * Ask before all answers are forgotten.
 *
 * @param {Player} player
 */
function askToForget(player) {
  say(player, "This deletes your answers to this quiz in this tab. ");
  const sure = element("button", { type: "button", "data-do": "forget" }, "Delete and start again");
  find(player.root, ".results .said", HTMLElement).append(sure);
  sure.focus();
}

/**
 * What a button does.
 *
 * @param {Player} player
 * @param {string} action
 */
export function act(player, action) {
  /** @type {Record<string, () => void>} */
  const actions = {
    answer: () => answerAlone(player),
    keep: () => answerWithAi(player, false),
    change: () => answerWithAi(player, true),
    next: () => nextFilm(player),
    map: () => {
      player.map = !player.map;
      showReading(player);
    },
    smaller: () => resizeMark(player, 1 / 1.25),
    larger: () => resizeMark(player, 1.25),
    retest: () => go(player, { phase: "retest", place: 0, step: "alone", draft: emptyDraft() }),
    table: () => saveTable(player),
    again: () => askToForget(player),
    forget: () => {
      player.session = startAgain(player.data.id);
      go(player, {});
    },
  };
  actions[action]?.();
}
