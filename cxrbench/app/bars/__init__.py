"""The bars: every score beside its threshold and the truth; a click picks the finding."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import streamlit as st

from cxrbench.compare import Prediction

__all__ = ["bars", "rows"]

_ROOM: Final = Path(__file__).parent
_KEY: Final = "scores"

_COMPONENT = st.components.v2.component(
    "cxrbench_bars",
    html=(_ROOM / "bars.html").read_text(encoding="utf-8") + "\n",
    css=(_ROOM / "bars.css").read_text(encoding="utf-8"),
    js=(_ROOM / "bars.js").read_text(encoding="utf-8"),
)


def bars(data: Sequence[Mapping[str, Any]]) -> None:
    """Show the bars; a click on one sets the finding picker."""
    _COMPONENT(data={"rows": list(data)}, key=_KEY, on_picked_change=_pick)


def rows(
    predictions: Mapping[str, Prediction], truth: Mapping[str, int], chosen: Sequence[str]
) -> list[dict[str, Any]]:
    """One row a finding, in the models' order, with one bar a model that knows it."""
    findings = dict.fromkeys(label for prediction in predictions.values() for label in prediction.labels)
    return [_row(finding, predictions, truth, finding in chosen) for finding in findings]


def _row(
    finding: str, predictions: Mapping[str, Prediction], truth: Mapping[str, int], chosen: bool
) -> dict[str, Any]:
    several = len(predictions) > 1
    scores = []
    for model, prediction in predictions.items():
        if finding in prediction.labels:
            index = prediction.labels.index(finding)
            score, threshold = float(prediction.scores[index]), float(prediction.thresholds[index])
            above = score >= threshold
            words = f"{score:.2f} {'≥' if above else '<'} {threshold:.2f}{f' {model}' if several else ''}"
            scores.append({"score": score, "threshold": threshold, "above": above, "words": words})
    known = {1: "present", 0: "absent"}.get(truth.get(finding, -1), "")
    heard = "; ".join(f"score {entry['words']}" for entry in scores)
    spoken = f"{finding}{f', {known} in truth' if known else ''}: {heard}. Show its maps."
    return {"finding": finding, "truth": known, "chosen": chosen, "scores": scores, "spoken": spoken}


def _pick() -> None:
    finding = st.session_state[_KEY].get("picked")
    # From the browser, so not trusted: the finding picker drops what is no option of its own.
    if isinstance(finding, str):
        st.session_state["finding"] = [finding]
        st.rerun()  # the pickers above as well, not only the part of the page that holds the bars
