"""Metrics of the shipped models on the phantom's test images: writes docs/models.md from their evaluations.

python -m train.report
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cxrbench.evaluation import System, compare, evaluate, fit_systems, ranked, read_predictions, row
from cxrbench.models import hub
from cxrbench.writing import write_text

PAGE = Path(__file__).resolve().parents[1] / "docs" / "models.md"
TRIO = ("efficientnet_b0", "densenet121", "inception_v3")


def main() -> None:
    """Read the evaluations and write docs/models.md."""
    folders = hub.available()
    evaluations = {name: hub.evaluation(folder) for name, folder in folders.items()}
    systems = fit_systems({name: read_predictions(folders[name] / "predictions.csv", name) for name in TRIO})
    mean = next(system for system in systems if system.name == "ctp_mean")
    honest = {name: of for name, of in evaluations.items() if "shortcut" not in of}
    table = {**honest, "CTP mean of the three": evaluate(mean.shown, mean.thresholds)}
    parts = [HEAD, aurocs(table), "## Ensembles of the three models", COMBINED, combined(systems)]
    parts += ["## The planted shortcut", shortcut(evaluations), "## Sizes", sizes(folders)]
    write_text(PAGE, "\n\n".join(parts) + "\n")
    print(PAGE)


HEAD = """# The shipped models on the phantom

Written by `python -m train.report` from the evaluations and predictions stored with the weights. Test images
are held out by patient; intervals are 95 % bootstrap intervals from 1,000 resamples of patients. Frontal and
lateral images count equally. A lateral view hides much of what the frontal view of the same study shows, so
the metrics are lower than those of frontal images alone. Findings that are rare in training are detected
worse. `vit_tiny` is a transformer trained from scratch: it learns more slowly than convolutional networks do
from so few images.

## AUROC per finding"""


COMBINED = """*Combine then predict* (CTP) averages the scores and applies a threshold; *predict then combine*
(PTC) applies each model's thresholds and votes. Thresholds maximise sensitivity + specificity on the
validation images. F1 is that of the positive class, macro-F1 the mean of both classes' F1 as in Liz et al.;
both, and the AUROCs, are means over the findings. Which ensemble is best depends on the metric."""

# Field of `Row` → column header.
COLUMNS = {
    "auroc": "AUROC",
    "auroc_of_calls": "AUROC of the binary predictions",
    "f1": "F1",
    "f1_macro": "macro-F1",
    "hamming_loss": "Hamming loss",
    "subset_accuracy": "subset accuracy",
}


def combined(systems: Sequence[System]) -> str:
    """One row per model or ensemble; the best of each column is bold."""
    figures = [row(system) for system in systems]
    first = ranked(figures)
    rows = [["", *COLUMNS.values()], ["---"] * (len(COLUMNS) + 1)]
    for of in figures:
        cells = []
        for key in COLUMNS:
            value = f"{getattr(of, key):.3f}"
            cells.append(f"**{value}**" if first.get(key) == of.title else value)
        rows.append([of.title, *cells])
    return f"{markdown(rows)}\n\n{lead(systems)}"


def lead(systems: Sequence[System]) -> str:
    """The difference in AUROC between the mean of the scores and each model, paired by patient."""
    unused = np.full(len(systems[0].shown.labels), 0.5)  # thresholds: an AUROC does not depend on them
    mean = next(system.shown for system in systems if system.name == "ctp_mean")
    gains = []
    for model in (system for system in systems if not system.ensemble):
        gain = compare((mean, unused), (model.shown, unused), mean=True)
        low, high, p = (float(values[0]) for values in (gain.low, gain.high, gain.p))
        gains.append(f"{model.name} {float(gain.estimate[0]):+.4f} [{low:+.4f}, {high:+.4f}], p {p:.3f}")
    return f"AUROC of CTP mean minus that of each model, paired bootstrap: {'; '.join(gains)}."


def aurocs(table: dict[str, Any]) -> str:
    """One row per finding, one column per model."""
    first = next(iter(table.values()))
    rows = [["finding", "n+", *table], ["---"] * (len(table) + 2)]
    for label in first["auroc"]:
        cells = [interval(of["auroc"][label], of["intervals"]["auroc"][label]) for of in table.values()]
        rows.append([label, str(first["positives"][label]), *cells])
    means = [of["means"]["auroc"] for of in table.values()]
    rows.append(["**mean**", "", *(interval(mean["value"], [mean["low"], mean["high"]]) for mean in means)])
    return markdown(rows)


def interval(value: float | None, ends: list[float | None] | None) -> str:
    """A metric with its interval; a dash if it is undefined."""
    if value is None:
        return "–"
    low, high = ends or (None, None)
    return f"{value:.3f}" if low is None or high is None else f"{value:.3f} [{low:.3f}, {high:.3f}]"


def shortcut(evaluations: dict[str, Any]) -> str:
    """One row per model that was trained on a planted marker."""
    head = [
        "model",
        "finding",
        "marker",
        "as in training",
        "on half of the images, at random",
        "on none",
    ]
    rows = [head, ["---"] * len(head)]
    for name, of in evaluations.items():
        if measured := of.get("shortcut"):
            figures = [f"{measured[key]:.3f}" for key in ("with_marker", "marker_moved", "without_marker")]
            rows.append([name, measured["finding"], measured["title"], *figures])
    caption = "AUROC of the finding that the marker predicted in training, by which test images carry it."
    return f"{caption}\n\n{markdown(rows)}"


def sizes(folders: dict[str, Path]) -> str:
    """Megabytes of weights per model, and in total."""
    found = {name: (folder / "model.safetensors").stat().st_size / 1e6 for name, folder in folders.items()}
    rows = [
        ["model", "weights in 16 bits, MB"],
        ["---", "---"],
        *([name, f"{size:.1f}"] for name, size in found.items()),
    ]
    return markdown([*rows, ["total", f"{sum(found.values()):.1f}"]])


def markdown(rows: list[list[str]]) -> str:
    """A Markdown table; the second row is the separator."""
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    main()
