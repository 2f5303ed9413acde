// Numbers in, pixels out: decode what Python sent, sample it between grid points, colour it.

const RASTER = 512; // longest side of the grid on which maps are coloured; drawing scales it to the panel

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** A map of Python's `panels.encoded` → {width, height, values: Float32Array, box}. */
function decodeMap(sent) {
  const buffer = bytesOf(sent.data).buffer;
  const values =
    sent.kind === "f32" ? new Float32Array(buffer) : Float32Array.from(new Int16Array(buffer), (q) => q * sent.step);
  return { width: sent.width, height: sent.height, values, box: sent.box };
}

/**
 * Where a coordinate of the radiograph falls between two grid points: [first, second, weight of the second].
 * Pixel centres are aligned as in torch's interpolate(align_corners=False); beyond the last centre the edge holds.
 */
function between(position, from, to, count) {
  const place = Math.min(Math.max(((position - from) / (to - from)) * count - 0.5, 0), count - 1);
  const first = Math.min(Math.floor(place), Math.max(count - 2, 0));
  return [first, Math.min(first + 1, count - 1), place - first];
}

/** The value of a map at a point of the radiograph, in its pixels; NaN where the network did not look. */
function valueAt(map, x, y) {
  const [left, top, right, bottom] = map.box;
  if (x < left || x >= right || y < top || y >= bottom) return NaN;
  const [x0, x1, dx] = between(x, left, right, map.width);
  const [y0, y1, dy] = between(y, top, bottom, map.height);
  const v = map.values;
  const [a, b] = [y0 * map.width, y1 * map.width];
  return (v[a + x0] * (1 - dx) + v[a + x1] * dx) * (1 - dy) + (v[b + x0] * (1 - dx) + v[b + x1] * dx) * dy;
}

/** A map laid over the whole radiograph, at most RASTER pixels per side; NaN where the network did not look. */
function rasterise(map, width, height) {
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

/** How strongly a value in [0, 1] covers the radiograph: with `fade`, weak values let it show through. */
function cover(strength, view) {
  if (strength < view.threshold || strength <= 0) return 0;
  return view.fade ? Math.min(1, strength * 1.6) : 1;
}

/** Colour a raster into a canvas: 256 colours over [0, 1], or over [−1, 1] where the map is signed. */
function colourise(raster, canvas, table, signed, peak, view) {
  canvas.width = raster.width;
  canvas.height = raster.height;
  const context = canvas.getContext("2d");
  const picture = context.createImageData(raster.width, raster.height);
  if (peak > 0) {
    const pixels = picture.data;
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
  }
  context.putImageData(picture, 0, 0);
}

/** A number as people read it: three figures that count. */
function figure(value) {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 0.001 && size < 10000 ? String(Number(value.toPrecision(3))) : value.toExponential(1);
  return text.replace("-", "−");
}
