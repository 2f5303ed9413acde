// The controls above the panels. They change `bench.view` in the browser; the server hears nothing of that.

import { find, findAll } from "../../widgets/dom.js";
import { savePicture } from "./save.js";
import { percent, viewParameter, zoomAt } from "./view.js";

/** @import { Bench, Redraw } from "./index.js" */

/** @type {Record<string, Redraw>} */
const REDRAWS = { opacity: "draw", outline: "draw", threshold: "paint", colours: "paint", fade: "paint", scale: "paint" };

/**
 * Fill the menus; hide what this scene has no use for.
 *
 * @param {ParentNode} root
 * @param {Bench} bench
 */
export function fillToolbar(root, bench) {
  const { data } = bench;
  const titles = Object.entries(data.colours).map(([key, colour]) => [key, colour.title]);
  const menus = { colours: [["auto", "Automatic"], ...titles], scale: Object.entries(data.scales) };
  for (const [name, entries] of Object.entries(menus)) {
    const select = find(root, `[data-view="${name}"]`, HTMLSelectElement);
    const wanted = entries.map(([value, title]) => new Option(capital(title), value));
    if (select.options.length !== wanted.length) select.replaceChildren(...wanted);
  }
  find(root, ".outline", HTMLElement).hidden = !data.panels.some((panel) => panel.outline);
}

/**
 * @param {string} text
 * @returns {string}
 */
const capital = (text) => text[0].toUpperCase() + text.slice(1);

/**
 * @param {ParentNode} root
 * @returns {(HTMLInputElement | HTMLSelectElement)[]}
 */
function controls(root) {
  return [...findAll(root, "[data-view]", HTMLInputElement), ...findAll(root, "[data-view]", HTMLSelectElement)];
}

/**
 * @param {HTMLInputElement | HTMLSelectElement} input
 * @returns {boolean | number | string}
 */
function valueOf(input) {
  if (input.type === "range") return Number(input.value);
  return input instanceof HTMLInputElement && input.type === "checkbox" ? input.checked : input.value;
}

/**
 * Handlers are properties, so that those of earlier data are replaced.
 *
 * @param {ParentNode} root
 * @param {Bench} bench
 */
export function listenToolbar(root, bench) {
  for (const input of controls(root)) {
    const name = input.dataset.view ?? "";
    input.oninput = () => {
      Object.assign(bench.view, { [name]: valueOf(input) });
      if (name === "opacity") bench.view.moved = true;
      bench.refresh(REDRAWS[name]);
    };
  }
  /** @type {() => [number, number]} */
  const centre = () => {
    const { cross, picture, view } = bench;
    return cross ? [cross.x / picture.width, cross.y / picture.height] : [view.x, view.y];
  };
  /** @type {Record<string, () => void>} */
  const actions = {
    in: () => zoomAt(bench.view, 1.5, ...centre()),
    out: () => zoomAt(bench.view, 1 / 1.5, ...centre()),
    all: () => Object.assign(bench.view, { zoom: 1, x: 0.5, y: 0.5 }),
    fold: () => {
      const open = find(root, ".tools", HTMLElement).classList.toggle("open");
      find(root, ".fold", HTMLElement).setAttribute("aria-expanded", String(open));
    },
    link: () => void copyLink(root, bench),
    png: () => savePicture(bench, (text) => say(root, text)),
  };
  for (const button of findAll(root, "[data-do]", HTMLButtonElement)) {
    button.onclick = () => {
      actions[button.dataset.do ?? ""]();
      bench.refresh("draw");
    };
  }
}

/**
 * Show the view in the controls.
 *
 * @param {ParentNode} root
 * @param {Bench} bench
 */
export function showToolbar(root, bench) {
  const { view } = bench;
  const shown = new Map(Object.entries(view));
  for (const input of controls(root)) {
    const value = shown.get(input.dataset.view ?? "");
    if (input instanceof HTMLInputElement && input.type === "checkbox") input.checked = Boolean(value);
    else if (input.value !== String(value)) input.value = String(value);
  }
  const zoom = `${view.zoom.toFixed(1)}×`;
  /** @type {Record<string, string>} */
  const words = { opacity: `${percent(view.opacity)} %`, threshold: `${percent(view.threshold)} %`, zoom };
  for (const output of findAll(root, "[data-of]", HTMLElement)) output.textContent = words[output.dataset.of ?? ""];
  // What is read aloud begins with what is seen: whoever speaks to the browser says that.
  find(root, '[data-do="all"]', HTMLElement).setAttribute("aria-label", `${zoom}: show the whole radiograph`);
}

let silence = 0; // the timer that takes the last sentence away

/**
 * Show a sentence for eight seconds.
 *
 * @param {ParentNode} root
 * @param {string} text
 */
function say(root, text) {
  const place = find(root, ".said", HTMLElement);
  place.textContent = text;
  clearTimeout(silence);
  silence = window.setTimeout(() => {
    place.textContent = "";
  }, 8000);
}

/**
 * A sentence about the link holds for what was shown then: it goes when something else is chosen.
 *
 * @param {ParentNode} root
 * @param {Bench} bench
 */
export function forgetSaid(root, bench) {
  const link = JSON.stringify([bench.data.link, bench.data.file]);
  if (bench.link !== undefined && bench.link !== link) say(root, "");
  bench.link = link;
}

/**
 * The link to exactly this: what Python says was chosen, and how it is drawn.
 *
 * @param {Bench} bench
 * @returns {string}
 */
function linkTo(bench) {
  const address = new URL(location.pathname, location.origin);
  for (const [key, value] of bench.data.link ?? []) address.searchParams.append(key, value);
  const view = viewParameter(bench.view);
  if (view) address.searchParams.set("view", view);
  return address.href.replaceAll("%2F", "/"); // paths of films stay readable, as in the link that the page shows
}

/**
 * Copy the link, or show it where the browser keeps the clipboard to itself.
 *
 * @param {ParentNode} root
 * @param {Bench} bench
 */
async function copyLink(root, bench) {
  if (!bench.data.link) {
    say(root, bench.data.unlinkable);
    return;
  }
  const link = linkTo(bench);
  try {
    await navigator.clipboard.writeText(link);
    say(root, "Link copied: it opens this case, these models, methods and findings, drawn as they are now.");
  } catch {
    // Browsers hand out the clipboard on secure addresses only; show the link to be copied by hand.
    say(root, link);
  }
}
