// Numbers in, pixels out: decode what Python sent, sample it between grid points, colour it.

import { contextOf } from "../../widgets/dom.js";

/** @import { MapData } from "./schema.js" */
/** @import { View } from "./view.js" */

/**
 * A map on its own grid.
 *
 * @typedef {object} Field
 * @property {number} width
 * @property {number} height
 * @property {Float32Array} values rows from the top
 * @property {[number, number, number, number]} box where it lies over the radiograph: left, top, right, bottom
 */

/**
 * A map over the whole radiograph.
 *
 * @typedef {object} Raster
 * @property {number} width
 * @property {number} height
 * @property {Float32Array} values rows from the top; NaN where the network did not look
 */

const RASTER = 512; // longest side of the grid on which maps are coloured; drawing scales it to the panel

/**
 * @param {string} base64
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.codePointAt(0) ?? 0);
}

/**
 * A map of Python's `image_encoding.encoded`, decoded.
 *
 * @param {MapData} sent
 * @returns {Field}
 */
export function decodeMap(sent) {
  const buffer = bytesOf(sent.data).buffer;
  const values =
    sent.kind === "f32" ? new Float32Array(buffer) : Float32Array.from(new Int16Array(buffer), (q) => q * sent.step);
  return { width: sent.width, height: sent.height, values, box: sent.box };
}

/**
 * Where a coordinate of the radiograph falls between two grid points: [first, second, weight of the second].
 * Pixel centres are aligned as in torch's interpolate(align_corners=False); beyond the last centre the edge holds.
 *
 * @param {number} position
 * @param {number} from where the grid begins
 * @param {number} to where it ends
 * @param {number} count of its points
 * @returns {[number, number, number]}
 */
export function between(position, from, to, count) {
  const place = Math.min(Math.max(((position - from) / (to - from)) * count - 0.5, 0), count - 1);
  const first = Math.min(Math.floor(place), Math.max(count - 2, 0));
  return [first, Math.min(first + 1, count - 1), place - first];
}

/**
 * The value of a map at a point of the radiograph, in its pixels; NaN where the network did not look.
 *
 * @param {Field} map
 * @param {number} x
 * @param {number} y
 * @returns {number}
 */
export function valueAt(map, x, y) {
  const [left, top, right, bottom] = map.box;
  if (x < left || x >= right || y < top || y >= bottom) return NaN;
  const [x0, x1, dx] = between(x, left, right, map.width);
  const [y0, y1, dy] = between(y, top, bottom, map.height);
  const v = map.values;
  const [a, b] = [y0 * map.width, y1 * map.width];
  return (v[a + x0] * (1 - dx) + v[a + x1] * dx) * (1 - dy) + (v[b + x0] * (1 - dx) + v[b + x1] * dx) * dy;
}

/**
 * A map laid over the whole radiograph, at most RASTER pixels per side.
 *
 * @param {Field} map
 * @param {number} width of the radiograph
 * @param {number} height of the radiograph
 * @returns {Raster}
 */
export function rasterise(map, width, height) {
  const shrink = RASTER / Math.max(width, height);
  const [w, h] = [Math.max(1, Math.round(width * shrink)), Math.max(1, Math.round(height * shrink))];
  const [left, top, right, bottom] = map.box;
  const columns = Array.from({ length: w }, (_, i) => between(((i + 0.5) * width) / w, left, right, map.width));
  const values = new Float32Array(w * h);
  const v = map.values;
  for (let j = 0; j < h; j++) {
    const y = ((j + 0.5) * height) / h;
    const [y0, y1, dy] = between(y, top, bottom, map.height);
    const [a, b, outside] = [y0 * map.width, y1 * map.width, y < top || y >= bottom];
    for (let i = 0; i < w; i++) {
      const [x0, x1, dx] = columns[i];
      const x = ((i + 0.5) * width) / w;
      values[j * w + i] =
        outside || x < left || x >= right
          ? NaN
          : (v[a + x0] * (1 - dx) + v[a + x1] * dx) * (1 - dy) + (v[b + x0] * (1 - dx) + v[b + x1] * dx) * dy;
    }
  }
  return { width: w, height: h, values };
}

/**
 * How strongly a value in [0, 1] covers the radiograph: with `fade`, weak values let it show through.
 *
 * @param {number} strength
 * @param {View} view
 * @returns {number}
 */
export function cover(strength, view) {
  if (strength < view.threshold || strength <= 0) return 0;
  return view.fade ? Math.min(1, strength * 1.6) : 1;
}

/**
 * The colours of a raster: 256 of them over [0, 1], or over [−1, 1] where the map is signed.
 *
 * @param {Raster} raster
 * @param {Uint8Array} table 256 × 3
 * @param {boolean} signed
 * @param {number} peak value at full colour; nothing is coloured where it is 0
 * @param {View} view
 * @returns {Uint8ClampedArray<ArrayBuffer>} red, green, blue and alpha of each pixel
 */
export function colouredPixels(raster, table, signed, peak, view) {
  const pixels = new Uint8ClampedArray(4 * raster.values.length);
  if (!(peak > 0)) return pixels;
  for (let i = 0; i < raster.values.length; i++) {
    const value = raster.values[i] / peak;
    const strength = Math.min(1, signed ? Math.abs(value) : value);
    const alpha = cover(strength, view); // NaN compares false and stays clear
    if (!(alpha > 0)) continue;
    const level = signed ? (Math.max(-1, Math.min(1, value)) + 1) / 2 : strength;
    const entry = 3 * Math.round(level * 255);
    pixels[4 * i] = table[entry];
    pixels[4 * i + 1] = table[entry + 1];
    pixels[4 * i + 2] = table[entry + 2];
    pixels[4 * i + 3] = Math.round(alpha * 255);
  }
  return pixels;
}

/**
 * Colour a raster into a canvas, which takes its size.
 *
 * @param {Raster} raster
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8Array} table
 * @param {boolean} signed
 * @param {number} peak
 * @param {View} view
 */
export function colourise(raster, canvas, table, signed, peak, view) {
  canvas.width = raster.width;
  canvas.height = raster.height;
  const pixels = colouredPixels(raster, table, signed, peak, view);
  contextOf(canvas).putImageData(new ImageData(pixels, raster.width, raster.height), 0, 0);
}

/**
 * A number as people read it: three significant digits.
 *
 * @param {number} value
 * @returns {string}
 */
export function figure(value) {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 0.001 && size < 10000 ? String(Number(value.toPrecision(3))) : value.toExponential(1);
  return text.replace("-", "−");
}
