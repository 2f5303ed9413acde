// Draw where a reader stands: a film with what is asked of it, or the results.

import { find, findAll } from "../../widgets/dom.js";
import { notYetExplained } from "../../widgets/terms.js";
import { drawFilm } from "./film.js";
import { aiReady, countOf, filmOf } from "./player.js";
import { element, resultParts } from "./results.js";
import { aiText, truthParts } from "./words.js";

/** @import { Player } from "./player.js" */
/** @import { Session } from "./session.js" */

/**
 * Tell the reader something, in the place that is read aloud.
 *
 * @param {Player} player
 * @param {string} text
 */
export function say(player, text) {
  const place = player.session.phase === "results" ? ".results .said" : ".side .said";
  find(player.root, place, HTMLElement).textContent = text;
}

/**
 * Draw where the reader stands.
 *
 * @param {Player} player
 */
export function show(player) {
  const { root, session, data } = player;
  const results = session.phase === "results";
  find(root, ".results", HTMLElement).hidden = !results;
  find(root, ".reading", HTMLElement).hidden = results;
  find(root, ".bar", HTMLElement).hidden = results;
  if (results) {
    find(root, ".results", HTMLElement).replaceChildren(...resultParts(data, session, notYetExplained(data.terms)));
    return;
  }
  showProgress(player);
  showReading(player);
}

/**
 * @param {Player} player
 */
function showProgress(player) {
  const { root, session } = player;
  const [count, place] = [countOf(player), session.place];
  const round = session.phase === "retest" ? "Retest without AI, film" : "Film";
  find(root, ".count", HTMLElement).textContent = `${round} ${place + 1} of ${count}`;
  find(root, ".done", HTMLProgressElement).value = (place + (session.step === "truth" ? 1 : 0)) / count;
}

/** @type {Record<Session["step"], string>} */
const KEYS = {
  alone: "Keys: P present, A absent; on the film arrows move the mark (Shift: further), + and − change its size, Enter answers.",
  with: "Keys: K keep, X change, M map on or off.",
  truth: "Keys: Enter goes on, M map on or off.",
};

/**
 * Draw the film and what is asked of it.
 *
 * @param {Player} player
 */
export function showReading(player) {
  const { root, session, data } = player;
  const { step, draft } = session;
  const film = filmOf(player);
  const ready = step !== "with" || aiReady(film);
  const map = player.map && step !== "alone" && ready;
  drawFilm(root, film, { mark: draft.mark, named: step !== "alone", map, truth: step === "truth", finding: data.finding });
  find(root, ".question", HTMLElement).textContent = `Is there ${data.finding}?`;
  find(root, ".task", HTMLElement).textContent = taskOf(player);
  find(root, ".side .said", HTMLElement).textContent = "";
  find(root, ".keys", HTMLElement).textContent = KEYS[step];
  const ai = find(root, ".ai", HTMLElement);
  ai.tabIndex = -1;
  ai.hidden = step === "alone";
  const answer = session.answers.at(-1);
  if (step === "with" && film) ai.replaceChildren(...aiText(film, ready, notYetExplained(data.terms)));
  if (step === "truth" && film && answer) ai.replaceChildren(...truthParts(film, answer, data, notYetExplained(data.terms)));
  showControls(player);
  if (film && ready && step !== "truth" && player.timed !== `${session.phase} ${session.place} ${step}`) {
    player.timed = `${session.phase} ${session.place} ${step}`;
    player.since = performance.now();
  }
}

/**
 * @param {Player} player
 * @returns {string}
 */
function taskOf({ session, data }) {
  if (session.step === "alone") return "If so, mark where: click the film. Then say how sure you are, and answer.";
  if (session.step === "with") return `Your answer: ${session.draft.present ? "present" : "absent"}. Keep it, or change it?`;
  return `The truth is known, since the film is simulated. ${data.finding} is outlined where it is present.`;
}

/**
 * Which controls are there, and what they say.
 *
 * @param {Player} player
 */
function showControls(player) {
  const { root, session } = player;
  const { step, draft, place } = session;
  const ready = aiReady(filmOf(player));
  for (const one of findAll(root, "[data-answer]", HTMLElement)) {
    one.setAttribute("aria-pressed", String(draft.present !== null && one.dataset.answer === (draft.present ? "present" : "absent")));
  }
  find(root, '[data-of="confidence"]', HTMLElement).textContent = `${Math.round(100 * draft.confidence)} %`;
  find(root, ".sure input", HTMLInputElement).value = String(Math.round(100 * draft.confidence));
  find(root, ".sure", HTMLElement).hidden = step === "truth" || (step === "with" && !ready);
  for (const selector of [".choice", ".size"]) find(root, selector, HTMLElement).hidden = step !== "alone";
  const [own, other] = draft.present ? ["present", "absent"] : ["absent", "present"];
  const rest = place + 1 < countOf(player);
  /** @type {[action: string, shown: boolean, text: (Node | string)[]][]} */
  const buttons = [
    ["answer", step === "alone", ["Answer"]],
    ["keep", step === "with" && ready, [element("u", {}, "K"), `eep: ${own}`]],
    ["change", step === "with" && ready, ["Change to ", other, " (", element("u", {}, "X"), ")"]],
    ["map", step !== "alone" && ready, [element("u", {}, "M"), "ap"]],
    ["next", step === "truth", [rest ? "Next film" : "Results"]],
  ];
  for (const [action, shown, text] of buttons) {
    const one = find(root, `.side [data-do="${action}"]`, HTMLButtonElement);
    one.hidden = !shown;
    one.replaceChildren(...text);
  }
  find(root, '.side [data-do="map"]', HTMLButtonElement).setAttribute("aria-pressed", String(player.map));
}
