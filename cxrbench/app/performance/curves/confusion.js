// The confusion matrix at a threshold, derived metrics, and the click that lists its images.

const CELLS = {
  hits: ["right", "true positives", "TP: present, predicted present"],
  misses: ["wrong", "false negatives", "FN: present, predicted absent"],
  alarms: ["wrong", "false positives", "FP: absent, predicted present"],
  rejections: ["right", "true negatives", "TN: absent, predicted absent"],
};

/** What a system calls at the step of the slider; a vote has no threshold of its own. */
function countsAt(system, at) {
  return system.graded ? { hits: system.hits[at], alarms: system.alarms[at] } : system.fixed;
}

function allCounts(system, data, at) {
  const { hits, alarms } = countsAt(system, at);
  return { hits, alarms, misses: data.positives - hits, rejections: data.negatives - alarms };
}

/** Undefined stays a dash: nothing is divided by nothing. */
function rates({ hits, alarms, misses, rejections }) {
  const share = (part, whole) => (whole > 0 ? part / whole : NaN);
  const [sensitivity, specificity] = [share(hits, hits + misses), share(rejections, rejections + alarms)];
  return [
    ["Sensitivity", sensitivity, "TP ÷ (TP + FN)"],
    ["Specificity", specificity, "TN ÷ (TN + FP)"],
    ["Precision", share(hits, hits + alarms), "TP ÷ (TP + FP)"],
    ["F1", share(2 * hits, 2 * hits + alarms + misses), "of the positive class"],
    ["Balanced acc.", (sensitivity + specificity) / 2, "mean of sensitivity and specificity"],
    ["Accuracy", share(hits + rejections, hits + alarms + misses + rejections), "(TP + TN) ÷ all; high for every rare finding"],
  ];
}

function showCounts(root, system, data, at) {
  const counts = allCounts(system, data, at);
  root.querySelector(".confusion caption").textContent = `${data.finding}, ${system.title}`;
  root.querySelector('[data-of="positives"]').textContent = `present (${data.positives.toLocaleString("en")})`;
  root.querySelector('[data-of="negatives"]').textContent = `absent (${data.negatives.toLocaleString("en")})`;
  for (const [kind, [side, name, words]] of Object.entries(CELLS)) {
    const button = root.querySelector(`[data-cell="${kind}"]`);
    const count = counts[kind].toLocaleString("en");
    const figure = document.createElement("b");
    figure.textContent = count;
    button.replaceChildren(figure, " ", name);
    button.className = side;
    button.title = `${words}; click to list the images`;
    button.setAttribute("aria-label", `${count} ${name}: show the cases`);
  }
  root.querySelector(".rates").replaceChildren(
    ...rates(counts).map(([name, value, words]) => {
      const row = document.createElement("div");
      const [term, figure] = [document.createElement("dt"), document.createElement("dd")];
      [term.textContent, figure.textContent, row.title] = [name, Number.isFinite(value) ? value.toFixed(3) : "–", words];
      row.append(term, figure);
      return row;
    }),
  );
}
