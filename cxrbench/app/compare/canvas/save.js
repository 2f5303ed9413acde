// The picture that is saved: the panels as they are drawn now, each with its words, and the disclaimer below.

import { contextOf } from "../../widgets/dom.js";
import { drawCross, drawPanel } from "./draw.js";

/** @import { Bench } from "./index.js" */
/** @import { Panel } from "./panel.js" */
/** @typedef {[text: string, font: string, colour: string]} Line */

const PAPER = { ink: "#1b2430", quiet: "#51606f", paper: "#ffffff", side: 512, gap: 28, line: 22, dimmed: 0.6 };

/**
 * A text in lines that are no wider than this, unless a word is.
 *
 * @param {Pick<CanvasRenderingContext2D, "measureText">} context
 * @param {string} text
 * @param {number} width
 * @returns {string[]}
 */
export function wrapped(context, text, width) {
  const lines = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line ? `${line} ${word}` : word;
    if (line && context.measureText(longer).width > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

/**
 * What is written under a panel: [text, font, colour] rows, already broken into lines.
 *
 * @param {Panel} panel
 * @param {CanvasRenderingContext2D} context
 * @returns {Line[]}
 */
function wordsOf(panel, context) {
  /** @type {Line[]} */
  const rows = [];
  /** @type {(text: string, font: string, colour: string) => void} */
  const add = (text, font, colour) => {
    context.font = font;
    for (const line of wrapped(context, text, PAPER.side)) rows.push([line, font, colour]);
  };
  add(panel.title, "600 18px sans-serif", PAPER.ink);
  if (panel.subtitle) add(panel.subtitle, "15px sans-serif", PAPER.ink);
  for (const note of panel.notes) add(note, "600 15px sans-serif", PAPER.ink);
  if (panel.map) {
    const { low, high, scale } = panel.parts;
    const own = scale.textContent ? `; ${scale.textContent}` : "";
    add(`From ${low.textContent} to ${high.textContent}${own}`, "14px sans-serif", PAPER.quiet);
  }
  if (panel.truth) add(panel.truth.text, "600 14px sans-serif", PAPER.ink);
  for (const fact of panel.facts) add(fact, "14px sans-serif", PAPER.quiet);
  return rows;
}

/**
 * Where each panel stands, [row, column], as on the page: some begin a row of their own, some stand at the left of
 * several rows.
 *
 * @param {Pick<Panel, "first" | "rows">[]} panels
 * @param {number} columns
 * @returns {[row: number, column: number][]}
 */
export function placesOf(panels, columns) {
  let [row, column, left] = [0, 0, 0];
  return panels.map((panel, index) => {
    if (panel.rows > 1) left = 0;
    if (index && (panel.first || column === columns)) [row, column] = [row + 1, left];
    if (panel.rows > 1) left = 1;
    return [row, column++];
  });
}

/**
 * What holds for all maps: the sentences of the scene, and the scale that the reader chose.
 *
 * @param {Bench} bench
 * @returns {string}
 */
function sharedWords({ data, view }) {
  return [...data.shared, `Scale: ${data.scales[view.scale]}`].join(" · ");
}

/**
 * @param {Bench} bench
 * @returns {HTMLCanvasElement}
 */
function composePicture(bench) {
  const { side, gap, line } = PAPER;
  const canvas = document.createElement("canvas");
  const context = contextOf(canvas);
  const columns = Math.min(bench.columns, bench.panels.length);
  const height = Math.round((side * bench.picture.height) / bench.picture.width);
  const words = bench.panels.map((panel) => wordsOf(panel, context));
  const places = placesOf(bench.panels, columns);
  const rowCount = 1 + Math.max(...places.map(([row]) => row));
  const below = Math.max(...words.map((rows, index) => (bench.panels[index].rows > 1 ? 0 : rows.length))) * line + 34;
  canvas.width = columns * (side + gap) + gap;
  context.font = "14px sans-serif";
  const shared = wrapped(context, sharedWords(bench), canvas.width - 2 * gap);
  canvas.height = rowCount * (height + below + gap) + gap + 30 + shared.length * line;
  context.fillStyle = PAPER.paper;
  context.fillRect(0, 0, canvas.width, canvas.height);
  bench.panels.forEach((panel, index) => {
    const [row, column] = places[index];
    const x = gap + column * (side + gap);
    const y = gap + row * (height + below + gap);
    placePanel(context, panel, bench, { x, y, width: side, height }, words[index]);
  });
  context.font = "14px sans-serif";
  context.fillStyle = PAPER.quiet;
  shared.forEach((text, index) => {
    context.fillText(text, gap, canvas.height - gap / 2 - 6 - (shared.length - index) * line);
  });
  context.fillText(bench.data.disclaimer, gap, canvas.height - gap / 2 - 6, canvas.width - 2 * gap);
  return canvas;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Panel} panel
 * @param {Bench} bench
 * @param {{ x: number, y: number, width: number, height: number }} place
 * @param {Line[]} rows
 */
function placePanel(context, panel, bench, { x, y, width, height }, rows) {
  context.save();
  context.translate(x, y);
  context.globalAlpha = panel.dimmed ? PAPER.dimmed : 1;
  drawPanel(context, width, height, panel, bench);
  context.globalAlpha = 1;
  if (bench.cross) {
    const layer = document.createElement("canvas");
    Object.assign(layer, { width, height });
    drawCross(contextOf(layer), width, height, bench);
    context.drawImage(layer, 0, 0);
  }
  if (panel.map && panel.peak > 0) context.drawImage(panel.parts.strip, 0, height + 6, width, 8);
  rows.forEach(([text, font, colour], index) => {
    context.font = font;
    context.fillStyle = colour;
    context.fillText(text, 0, height + 36 + index * PAPER.line);
  });
  context.restore();
}

/**
 * Download the picture, then say under which name, or why not.
 *
 * @param {Bench} bench
 * @param {(text: string) => void} report
 */
export function savePicture(bench, report) {
  composePicture(bench).toBlob((blob) => {
    if (!blob) {
      report("This browser could not make a PNG of this size.");
      return;
    }
    const anchor = document.createElement("a");
    anchor.href = URL.createObjectURL(blob);
    anchor.download = `${bench.data.file}.png`;
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(anchor.href), 10000);
    report(`Saved ${anchor.download}`);
  }, "image/png");
}
