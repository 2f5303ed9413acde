// The controls above the panels. They change `bench.view` in the browser; the server hears nothing of it.

const REDRAWS = { opacity: "draw", outline: "draw", threshold: "paint", colours: "paint", fade: "paint", scale: "paint" };

function fillToolbar(root, bench) {
  const { data } = bench;
  const colours = [["auto", "Automatic"], ...Object.entries(data.colours).map(([key, colour]) => [key, colour.title])];
  const scales = Object.entries(data.scales);
  for (const [name, entries] of [["colours", colours], ["scale", scales]]) {
    const select = root.querySelector(`[data-view="${name}"]`);
    const wanted = entries.map(([value, title]) => new Option(capital(title), value));
    if (select.options.length !== wanted.length) select.replaceChildren(...wanted);
  }
  root.querySelector(".outline").hidden = !data.panels.some((panel) => panel.outline);
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

function listenToolbar(root, bench) {
  for (const input of root.querySelectorAll("[data-view]")) {
    input.oninput = () => {
      const name = input.dataset.view;
      const value = { checkbox: () => input.checked, range: () => Number(input.value) }[input.type] ?? (() => input.value);
      bench.view[name] = value();
      if (name === "opacity") bench.view.moved = true;
      bench.refresh(REDRAWS[name]);
    };
  }
  const centre = () => {
    const at = bench.cross && { x: bench.cross.x / bench.picture.width, y: bench.cross.y / bench.picture.height };
    return [at?.x, at?.y];
  };
  const actions = {
    in: () => zoomAt(bench.view, 1.5, ...centre()),
    out: () => zoomAt(bench.view, 1 / 1.5, ...centre()),
    all: () => Object.assign(bench.view, { zoom: 1, x: 0.5, y: 0.5 }),
    fold: () => {
      const open = root.querySelector(".tools").classList.toggle("open");
      root.querySelector(".fold").setAttribute("aria-expanded", String(open));
    },
    link: () => copyLink(root, bench),
    png: () => savePicture(root, bench),
  };
  for (const button of root.querySelectorAll("[data-do]")) {
    button.onclick = () => {
      actions[button.dataset.do]();
      bench.refresh("draw");
    };
  }
}

function showToolbar(root, bench) {
  const { view } = bench;
  for (const input of root.querySelectorAll("[data-view]")) {
    const value = view[input.dataset.view];
    if (input.type === "checkbox") input.checked = value;
    else if (input.value !== String(value)) input.value = value;
  }
  const percent = (value) => `${Math.round(value * 100)} %`;
  const words = { opacity: percent(view.opacity), threshold: percent(view.threshold), zoom: `${view.zoom.toFixed(1)}×` };
  for (const output of root.querySelectorAll("[data-of]")) output.textContent = words[output.dataset.of];
  // What is read aloud begins with what is seen: whoever speaks to the browser says that.
  root.querySelector('[data-do="all"]').setAttribute("aria-label", `${words.zoom}: show the whole radiograph`);
}

function say(root, text) {
  const place = root.querySelector(".said");
  place.textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => (place.textContent = ""), 8000);
}

/** A sentence about the link holds for what was shown then: it goes when something else is chosen. */
function forgetSaid(root, bench) {
  const link = JSON.stringify([bench.data.link, bench.data.file]);
  if (bench.link !== undefined && bench.link !== link) say(root, "");
  bench.link = link;
}

/** The link to exactly this: what Python says was chosen, and how it is drawn. */
function linkTo(bench) {
  const address = new URL(location.pathname, location.origin);
  for (const [key, value] of bench.data.link) address.searchParams.append(key, value);
  address.searchParams.set("view", writeView(bench.view));
  return address.href;
}

async function copyLink(root, bench) {
  if (!bench.data.link) return say(root, bench.data.unlinkable);
  const link = linkTo(bench);
  try {
    await navigator.clipboard.writeText(link);
    say(root, "Link copied: it opens this case, these models, methods and findings, drawn as they are now.");
  } catch {
    // Browsers hand out the clipboard on secure addresses only; show the link to be copied by hand.
    say(root, link);
  }
}
