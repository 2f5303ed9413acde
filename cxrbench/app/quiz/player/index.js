// Entry point: Streamlit calls it with new data; one player per place in the page, which sends nothing back.

import { find } from "../../widgets/dom.js";
import { listenToPointer } from "./film.js";
import { saveSession } from "./player.js";
import { show } from "./reading.js";
import { moved, placed, restore } from "./session.js";
import { act, redraft, setMark } from "./steps.js";

/** @import { Player } from "./player.js" */
/** @import { QuizData } from "./schema.js" */
/** @import { Session } from "./session.js" */

/** @type {WeakMap<Element, Player>} */
const players = new WeakMap();

/** @type {Record<string, [across: number, down: number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * What a key does; false if it does nothing here.
 *
 * @param {Player} player
 * @param {KeyboardEvent} event
 * @returns {boolean}
 */
function press(player, event) {
  const { session } = player;
  if (session.phase === "results" || event.ctrlKey || event.metaKey || event.altKey) return false;
  const onFilm = event.target instanceof Element && event.target.matches(".film");
  const step = event.shiftKey ? 0.05 : 0.01;
  const arrow = ARROWS[event.key];
  if (arrow && onFilm && session.step === "alone") {
    setMark(player, moved(session.draft.mark, arrow[0] * step, arrow[1] * step));
    return true;
  }
  /** @type {Record<Session["step"], Record<string, () => void>>} */
  const keys = {
    alone: {
      p: () => redraft(player, { present: true }),
      a: () => redraft(player, { present: false }),
      "+": () => act(player, "larger"),
      "-": () => act(player, "smaller"),
    },
    with: { k: () => act(player, "keep"), x: () => act(player, "change"), m: () => act(player, "map") },
    truth: { m: () => act(player, "map") },
  };
  const known = keys[session.step][event.key.toLowerCase()];
  if (known) known();
  else if (event.key === "Enter" && onFilm && session.step !== "with") act(player, session.step === "alone" ? "answer" : "next");
  else return false;
  return true;
}

/**
 * Connect the controls, once.
 *
 * @param {Player} player
 */
function listen(player) {
  const { root } = player;
  listenToPointer(root, (x, y) => setMark(player, placed(player.session.draft.mark, x, y)));
  const slider = find(root, ".sure input", HTMLInputElement);
  slider.addEventListener("input", () => redraft(player, { confidence: Number(slider.value) / 100 }));
  root.addEventListener("click", (event) => {
    const one = event.target instanceof Element ? event.target.closest("button") : null;
    if (one?.dataset.answer) redraft(player, { present: one.dataset.answer === "present" });
    else if (one?.dataset.do) act(player, one.dataset.do);
  });
  root.addEventListener("keydown", (event) => {
    if (!press(player, event)) return;
    event.preventDefault();
    event.stopPropagation(); // Streamlit has keys of its own
  });
}

/**
 * @typedef {object} Component
 * @property {QuizData | null} data
 * @property {ParentNode} parentElement
 */

/**
 * @param {Component} component
 * @returns {(() => void) | undefined} what Streamlit calls when the place is gone
 */
export default function quiz({ data, parentElement }) {
  const root = parentElement.querySelector(".quiz");
  if (!(root instanceof HTMLElement) || !data) return undefined;
  const known = players.get(root);
  const player = known ?? { root, data, session: restore(data.id), map: true, since: 0, timed: "" };
  if (!known) {
    players.set(root, player);
    listen(player);
  }
  if (player.data.id !== data.id) Object.assign(player, { session: restore(data.id), map: true, timed: "" });
  player.data = data;
  if (player.timed) saveSession(player);
  show(player);
  return () => {
    saveSession(player);
    players.delete(root);
  };
}
