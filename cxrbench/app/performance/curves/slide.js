// The component's entry: Streamlit calls it with new data; the slider moves points and counts, and tells no one.

const places = new WeakMap();
const remembered = {}; // by finding, rule and system: where the reader put the slider, and by which rule

function stepOf(data, threshold) {
  let best = 0;
  data.steps.forEach((step, index) => {
    if (Math.abs(step - threshold) < Math.abs(data.steps[best] - threshold)) best = index;
  });
  return best;
}

const nameOf = (here) => `${here.data.finding} ${here.data.rule} ${here.focus}`;
const focused = (here) => here.data.systems.find((system) => system.id === here.focus) ?? here.data.systems[0];

/** New data, or another system: draw what does not move. */
function drawAll(here) {
  const { root, data } = here;
  here.points = { roc: drawCurves(root.querySelector(".roc"), data, "roc"), pr: drawCurves(root.querySelector(".pr"), data, "pr") };
  const system = focused(here);
  here.cut = drawScores(root.querySelector(".scores"), system, data);
  const select = root.querySelector('[data-do="focus"]');
  select.replaceChildren(...data.systems.map((one) => new Option(one.title, one.id, false, one.id === system.id)));
  const slider = root.querySelector('[data-do="threshold"]');
  slider.max = data.steps.length - 1;
  slider.disabled = !system.graded;
  const marks = system.marks.map(({ rule, title, at, says }) => {
    const button = document.createElement("button");
    [button.type, button.textContent, button.title] = ["button", title, says];
    button.dataset.rule = rule;
    button.onclick = () => moveTo(here, stepOf(data, at), rule);
    return button;
  });
  root.querySelector(".marks").replaceChildren(...marks);
  const kept = remembered[nameOf(here)] ?? { threshold: system.threshold, rule: data.rule };
  slideTo(here, stepOf(data, kept.threshold), kept.rule);
}

/** Everything that follows the threshold; `rule` is the one that put it there, if any did. */
function slideTo(here, at, rule) {
  const { root, data } = here;
  const system = focused(here);
  here.at = Math.min(Math.max(at, 0), data.steps.length - 1);
  const threshold = data.steps[here.at];
  const words = system.graded ? String(Number(threshold.toPrecision(4))) : "votes, no threshold";
  const slider = root.querySelector('[data-do="threshold"]');
  slider.value = here.at;
  slider.setAttribute("aria-valuetext", words);
  root.querySelector('[data-of="threshold"]').textContent = words;
  for (const button of root.querySelectorAll(".marks button")) {
    // Several rules may choose one threshold: the one in force is marked, not all of them.
    button.setAttribute("aria-pressed", String(button.dataset.rule === rule));
  }
  for (const kind of ["roc", "pr"]) movePoints(here.points[kind], data, kind, here.at, system.id);
  for (const end of ["x1", "x2"]) here.cut.setAttribute(end, across(threshold));
  here.cut.setAttribute("visibility", system.graded ? "visible" : "hidden");
  showCounts(root, system, data, here.at);
}

/** As `slideTo`, by the reader's own hand: kept when new data of this finding come. */
function moveTo(here, at, rule) {
  slideTo(here, at, rule);
  remembered[nameOf(here)] = { threshold: here.data.steps[here.at], rule };
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".curves");
  if (!root || !data) return;
  const here = places.get(root) ?? { root };
  places.set(root, here);
  here.data = data;
  if (!data.systems.some((system) => system.id === here.focus)) here.focus = data.systems[0].id;
  const slider = root.querySelector('[data-do="threshold"]');
  slider.oninput = () => moveTo(here, Number(slider.value));
  const select = root.querySelector('[data-do="focus"]');
  select.onchange = () => {
    here.focus = select.value;
    drawAll(here);
  };
  for (const button of root.querySelectorAll("[data-cell]")) {
    button.onclick = () =>
      setTriggerValue("cell", {
        system: focused(here).id,
        kind: button.dataset.cell,
        threshold: here.data.steps[here.at],
        finding: here.data.finding,
      });
  }
  drawAll(here);
  return () => places.delete(root);
}
