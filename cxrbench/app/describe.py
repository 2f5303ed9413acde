"""Methods and models in words, read from their own records."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from cxrbench.app import stock

__all__ = ["methods", "models"]


def methods() -> None:
    """A table of every method: family, cost, caveat, paper."""
    from cxrbench.explain import METHODS

    rows = ["| Method | Reads | Costs | Keep in mind | Paper |", "|---|---|---|---|---|"]
    for record in METHODS.values():
        reads = "a feature map" if record.reads_stage else "the pixels"
        rows.append(
            f"| **{record.title}** | {reads} | {record.cost} | {record.caveat} | {_paper(record.reference)} |"
        )
    st.markdown("\n".join(rows))


def models() -> None:
    """Every model with what was measured on it and its card; folders that hold none, with the reason."""
    with st.spinner("Loading the models…"):
        found = stock.stock()
    for problem in found.problems:
        st.warning(problem)
    if not found.models:
        st.info(
            "There is no model here yet: put a saved model into assets/models, or name a folder of them in "
            "CXRBENCH_MODELS, and start again."
        )
    for name, model in found.models.items():
        labels = [label for label in model.spec.labels if label]
        side = model.spec.preprocessing.size
        st.subheader(found.titles[name])
        st.markdown(
            f"`{name}`, {model.spec.architecture}, weights `{model.revision}`; sees {side} × {side} pixels, "
            f"answers for {len(labels)} findings: {', '.join(labels)}."
        )
        _evaluation(found.evaluations[name])
        if found.cards[name]:
            with st.expander(f"Model card of {found.titles[name]}"):
                st.markdown(_lowered(found.cards[name]))


def _evaluation(measured: Mapping[str, Any]) -> None:
    plain = {key: value for key, value in measured.items() if isinstance(value, int | float | str)}
    if not measured:
        st.caption("Nothing was measured on this model: read its scores as examples only.")
    elif plain:
        words = (f"{key.replace('_', ' ')} {_figure(value)}" for key, value in plain.items())
        st.markdown("Measured: " + " · ".join(words) + ". More in its card.")


def _figure(value: float | str) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _paper(reference: str) -> str:
    kind, _, number = reference.partition(":")
    address = {"arXiv": f"https://arxiv.org/abs/{number}", "doi": f"https://doi.org/{number}"}.get(kind)
    return f"[{reference}]({address})" if address else reference


def _lowered(card: str) -> str:
    """A card's text without its YAML head, its headings below the page's own."""
    if card.startswith("---\n"):
        card = card.partition("\n---\n")[2]
    return "\n".join(f"###{line}" if line.startswith("#") else line for line in card.splitlines())
