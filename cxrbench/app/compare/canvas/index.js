// The component's entry: Streamlit calls it with new data; it keeps one bench for each place in the page.

const benches = new WeakMap();
const RANKS = ["cross", "draw", "paint"]; // each does all that those before it do

function newBench(root, data) {
  const bench = { root, data, view: firstView(data), cross: null, picture: {}, panels: [], tables: {}, peaks: {} };
  let wanted = -1;
  bench.refresh = (what) => {
    if (wanted < 0) {
      requestAnimationFrame(() => {
        const rank = wanted;
        wanted = -1;
        flush(bench, rank);
      });
    }
    wanted = Math.max(wanted, RANKS.indexOf(what));
  };
  bench.watch = new ResizeObserver(() => bench.refresh("draw"));
  bench.watch.observe(root.querySelector(".panels"));
  return bench;
}

function flush(bench, rank) {
  remembered = bench.view;
  const { panels, view } = bench;
  if (rank >= 2) {
    bench.peaks = peaksOf(panels, view.scale);
    for (const panel of panels) paintPanel(panel, bench);
  }
  if (rank >= 1) showToolbar(bench.root, bench);
  for (const panel of panels) {
    showPanel(panel, bench);
    showReadout(panel, bench);
  }
  bench.root.dataset.drawn = String(Number(bench.root.dataset.drawn ?? 0) + 1);
}

/** Take over a radiograph; decoding is asynchronous, and everything is drawn again when it is there. */
function takePicture(bench, { src, width, height }) {
  if (bench.picture.src === src) return;
  const picture = { src, width, height };
  bench.picture = picture;
  bench.cross = null;
  const image = new Image();
  image.onload = () => {
    const copy = document.createElement("canvas");
    Object.assign(copy, { width, height });
    const context = copy.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0, width, height);
    const colours = context.getImageData(0, 0, width, height).data;
    picture.greys = Uint8Array.from({ length: width * height }, (_, index) => colours[4 * index]);
    picture.element = copy;
    bench.refresh("draw");
  };
  image.src = src;
}

/** Take over the panels, keeping the elements of those that were there, so that focus and size stay. */
function takePanels(bench, sent) {
  const old = Object.fromEntries(bench.panels.map((panel) => [panel.id, panel]));
  bench.panels = sent.map((panel) => ({
    ...panel,
    map: panel.map && decodeMap(panel.map),
    parts: old[panel.id]?.parts ?? buildPanel(bench),
  }));
  const place = bench.root.querySelector(".panels");
  const figures = bench.panels.map((panel) => panel.parts.figure);
  const same = figures.length === place.children.length && figures.every((figure, i) => figure === place.children[i]);
  if (!same) place.replaceChildren(...figures);
  place.style.setProperty("--columns", bench.columns);
  for (const panel of bench.panels) fillPanel(panel, bench);
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".bench");
  if (!root || !data) return;
  const bench = benches.get(root) ?? newBench(root, data);
  benches.set(root, bench);
  bench.data = data;
  bench.columns = data.columns;
  for (const [name, colour] of Object.entries(data.colours)) bench.tables[name] ??= bytesOf(colour.table);
  takePicture(bench, data.picture);
  takePanels(bench, data.panels);
  fillToolbar(root, bench);
  forgetSaid(root, bench);
  listenToolbar(root, bench);
  settle(bench.view);
  showToolbar(root, bench);
  bench.refresh("paint");
  return () => {
    bench.watch.disconnect();
    benches.delete(root);
  };
}
