// What the reader chose to see: kept in the browser, never sent to the server, written into copied links.

const DEFAULTS = {
  opacity: 0.6,
  moved: false, // whether the reader chose the opacity; until then an ensemble's map has its own
  threshold: 0,
  colours: "auto",
  scale: "map",
  outline: true,
  fade: true,
  zoom: 1,
  x: 0.5, // centre of the view, as a fraction of the radiograph
  y: 0.5,
};
const MAX_ZOOM = 12;
let remembered = null; // survives leaving the page and coming back

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** "oa-t10-cviridis" with an opacity that nobody chose, else "o60-t10-cviridis-smethod-m1-f1-z2-x50-y40": short enough for a link, and read without trust. */
function writeView(view) {
  const percent = (value) => Math.round(value * 100);
  return [
    view.moved ? `o${percent(view.opacity)}` : "oa",
    `t${percent(view.threshold)}`,
    `c${view.colours}`,
    `s${view.scale}`,
    `m${Number(view.outline)}`,
    `f${Number(view.fade)}`,
    `z${Number(view.zoom.toFixed(2))}`,
    `x${percent(view.x)}`,
    `y${percent(view.y)}`,
  ].join("-");
}

function readView(text, data) {
  const view = { ...DEFAULTS };
  const parts = Object.fromEntries((text ?? "").split("-").map((part) => [part[0], part.slice(1)]));
  const number = (letter, scale, low, high, fallback) => {
    const value = parseFloat(parts[letter]) / scale;
    return Number.isFinite(value) ? clamp(value, low, high) : fallback;
  };
  view.opacity = number("o", 100, 0, 1, view.opacity);
  view.moved = Number.isFinite(parseFloat(parts.o));
  view.threshold = number("t", 100, 0, 0.95, view.threshold);
  view.zoom = number("z", 1, 1, MAX_ZOOM, view.zoom);
  view.x = number("x", 100, 0, 1, view.x);
  view.y = number("y", 100, 0, 1, view.y);
  if (parts.c === "auto" || parts.c in data.colours) view.colours = parts.c;
  if (parts.s in data.scales) view.scale = parts.s;
  if (parts.m) view.outline = parts.m !== "0";
  if (parts.f) view.fade = parts.f !== "0";
  return view;
}

function firstView(data) {
  return remembered ?? readView(new URLSearchParams(location.search).get("view"), data);
}

/** Keep the view on the radiograph: at zoom z, its centre stays half a window from every edge. */
function settle(view) {
  view.zoom = clamp(view.zoom, 1, MAX_ZOOM);
  const margin = 0.5 / view.zoom;
  view.x = clamp(view.x, margin, 1 - margin);
  view.y = clamp(view.y, margin, 1 - margin);
}

/** Zoom by a factor so that the point (x, y) of the radiograph, in fractions, stays where it is on the screen. */
function zoomAt(view, factor, x = view.x, y = view.y) {
  const before = view.zoom;
  view.zoom = clamp(before * factor, 1, MAX_ZOOM);
  view.x = x + ((view.x - x) * before) / view.zoom;
  view.y = y + ((view.y - y) * before) / view.zoom;
  settle(view);
}

/** How much of a panel's map covers the radiograph at most. */
function opacityOf(panel, view) {
  return view.moved ? view.opacity : (panel.opacity ?? view.opacity);
}

/**
 * The colour table of a panel: its own where it has one (a deviation is no map and must not look like one), else
 * cividis for maps cut at zero, blue to orange for signed ones, unless chosen.
 */
function colourName(panel, view, data) {
  if (panel.colours) return panel.colours;
  const fallback = panel.signed ? "blue-orange" : "cividis";
  const chosen = data.colours[view.colours];
  return chosen && chosen.diverging === panel.signed ? view.colours : fallback;
}

/** What full colour stands for in each panel, under the scale the reader chose. */
function peaksOf(panels, scale) {
  const group = (panel) => ({ map: panel.id, method: panel.group, all: "all" })[scale];
  const together = {};
  const drawn = panels.filter((panel) => panel.map);
  for (const panel of drawn) {
    if (!panel.fixed) together[group(panel)] = Math.max(together[group(panel)] ?? 0, panel.peak);
  }
  return Object.fromEntries(drawn.map((panel) => [panel.id, panel.fixed ? panel.peak : together[group(panel)]]));
}
