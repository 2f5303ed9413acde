// What the models say about every finding; a click shows that finding's maps.

const make = (tag, className, text) => {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};

function bar(score) {
  const line = make("span", "line");
  const track = make("span", "track");
  const fill = make("span", score.above ? "fill above" : "fill");
  fill.style.width = `${score.score * 100}%`;
  const tick = make("span", "tick");
  tick.style.left = `${score.threshold * 100}%`;
  track.append(fill, tick);
  line.append(track, make("span", "number", score.words));
  return line;
}

function row(entry, show) {
  const button = make("button", "row");
  button.type = "button";
  button.setAttribute("aria-pressed", String(entry.chosen));
  button.setAttribute("aria-label", entry.spoken);
  const name = make("span", "name");
  name.append(make("span", "label", entry.finding), make("span", `truth ${entry.truth}`, entry.truth));
  button.append(name, ...entry.scores.map(bar));
  button.onclick = () => show(entry.finding);
  return button;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const place = parentElement.querySelector(".scores");
  if (!place || !data) return;
  const focused = [...place.children].indexOf(place.getRootNode().activeElement);
  place.replaceChildren(...data.rows.map((entry) => row(entry, (finding) => setTriggerValue("picked", finding))));
  place.children[focused]?.focus();
}
