// Draw one panel, on screen or in the picture that is saved: radiograph, map, outline, cross-hair.

import { placeLabels } from "../../widgets/outline_labels.js";
import { opacityOf } from "./view.js";

/** @import { Bench, Picture } from "./index.js" */
/** @import { Panel } from "./panel.js" */
/** @import { View } from "./view.js" */

/** @type {[colour: string, thickness: number, dash: number[]][]} */
const OUTLINE = [
  ["#000", 3, []],
  ["#fff", 1.5, [6, 3]],
];
/** @type {[colour: string, thickness: number][]} */
const CROSS = [
  ["rgba(0, 0, 0, 0.7)", 3],
  ["#fff", 1],
];

/**
 * The transform from radiograph pixels to a window of width × height: {scale, left, top}.
 *
 * @param {Pick<View, "zoom" | "x" | "y">} view
 * @param {{ width: number, height: number }} picture
 * @param {number} width
 * @param {number} height
 * @returns {{ scale: number, left: number, top: number }}
 */
export function windowOf(view, picture, width, height) {
  const scale = (width / picture.width) * view.zoom;
  return { scale, left: width / 2 - view.x * picture.width * scale, top: height / 2 - view.y * picture.height * scale };
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} width
 * @param {number} height
 * @param {Panel} panel
 * @param {Bench} bench
 */
export function drawPanel(context, width, height, panel, bench) {
  const { view } = bench;
  const picture = panel.shown ?? bench.picture;
  const { scale, left, top } = windowOf(view, picture, width, height);
  context.save();
  context.fillStyle = "#000";
  context.fillRect(0, 0, width, height);
  context.beginPath();
  context.rect(0, 0, width, height);
  context.clip();
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.translate(left, top);
  context.scale(scale, scale);
  if (picture.element) context.drawImage(picture.element, 0, 0, picture.width, picture.height);
  if (panel.map && panel.painted) {
    context.globalAlpha = opacityOf(panel, view);
    context.drawImage(panel.painted, 0, 0, picture.width, picture.height);
    context.globalAlpha = 1;
    drawUnseen(context, panel.map.box, picture);
  }
  if (view.outline && panel.outline) {
    drawOutline(context, panel.outline, scale, width);
    if (bench.data.presenter) drawLabel(context, panel.finding, panel.outline, { scale, left, top, width, height });
  }
  context.restore();
}

/**
 * The name of what is outlined, beside it.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {[number, number][][]} polygons
 * @param {{ scale: number, left: number, top: number, width: number, height: number }} window as of `windowOf`, and its size
 */
function drawLabel(context, text, polygons, { scale, left, top, width, height }) {
  const size = Math.max(14, width / 24) / scale;
  context.font = `600 ${size}px sans-serif`;
  context.textBaseline = "middle";
  context.textAlign = "center";
  const label = { polygons, width: context.measureText(text).width + size, height: 1.4 * size };
  const frame = { left: -left / scale, top: -top / scale, right: (width - left) / scale, bottom: (height - top) / scale };
  const [box] = placeLabels([label], frame);
  if (!box) return;
  context.fillStyle = "rgba(0, 0, 0, 0.75)";
  context.fillRect(box.left, box.top, label.width, label.height);
  context.fillStyle = "#fff";
  context.fillText(text, (box.left + box.right) / 2, (box.top + box.bottom) / 2);
}

/**
 * Darken what lies outside the network's input: there the map says nothing.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {[number, number, number, number]} box
 * @param {Picture} picture
 */
function drawUnseen(context, [left, top, right, bottom], picture) {
  if (left <= 0 && top <= 0 && right >= picture.width && bottom >= picture.height) return;
  context.fillStyle = "rgba(0, 0, 0, 0.55)";
  context.beginPath();
  context.rect(0, 0, picture.width, picture.height);
  context.rect(left, top, right - left, bottom - top);
  context.fill("evenodd");
}

/**
 * White dashes on a black line: seen on any colour map, by anyone.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {[number, number][][]} polygons
 * @param {number} scale pixels of the window per pixel of the radiograph
 * @param {number} width of the window
 */
function drawOutline(context, polygons, scale, width) {
  const unit = Math.max(1, width / 340) / scale;
  context.lineJoin = "round";
  for (const [colour, thickness, dash] of OUTLINE) {
    context.strokeStyle = colour;
    context.lineWidth = thickness * unit;
    context.setLineDash(dash.map((length) => length * unit));
    for (const polygon of polygons) {
      context.beginPath();
      polygon.forEach(([x, y], index) => (index ? context.lineTo(x, y) : context.moveTo(x, y)));
      context.closePath();
      context.stroke();
    }
  }
  context.setLineDash([]);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} width
 * @param {number} height
 * @param {Bench} bench
 */
export function drawCross(context, width, height, bench) {
  context.clearRect(0, 0, width, height);
  const { cross, picture, view } = bench;
  if (!cross) return;
  const { scale, left, top } = windowOf(view, picture, width, height);
  const [x, y] = [Math.round(cross.x * scale + left) + 0.5, Math.round(cross.y * scale + top) + 0.5];
  const gap = width / 45;
  for (const [colour, thickness] of CROSS) {
    context.strokeStyle = colour;
    context.lineWidth = (thickness * width) / 340;
    context.beginPath();
    context.moveTo(0, y);
    context.lineTo(x - gap, y);
    context.moveTo(x + gap, y);
    context.lineTo(width, y);
    context.moveTo(x, 0);
    context.lineTo(x, y - gap);
    context.moveTo(x, y + gap);
    context.lineTo(x, height);
    context.stroke();
  }
}

/**
 * A strip of the colours in use, weakest first; the part hidden by the threshold is hatched.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {number} width
 * @param {number} height
 * @param {Uint8Array} table
 * @param {boolean} signed
 * @param {View} view
 */
export function drawStrip(context, width, height, table, signed, view) {
  context.clearRect(0, 0, width, height);
  for (let i = 0; i < width; i++) {
    const level = width > 1 ? i / (width - 1) : 0;
    const strength = signed ? Math.abs(2 * level - 1) : level;
    const entry = 3 * Math.round(level * 255);
    const hidden = strength < view.threshold;
    context.fillStyle = hidden ? "rgba(128, 128, 128, 0.35)" : `rgb(${table[entry]}, ${table[entry + 1]}, ${table[entry + 2]})`;
    context.fillRect(i, hidden ? height * 0.4 : 0, 1, hidden ? height * 0.2 : height);
  }
}
