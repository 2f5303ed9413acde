"""Lists of images on the Performance page: those in a cell of the confusion matrix, with links to Compare."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from cxrbench.app.performance.clicked_cell import KINDS, shown_cell
from cxrbench.app.services import own_set_films
from cxrbench.app.services.compare_links import case_list_parameters, film_address
from cxrbench.app.services.shipped_films import compare_address, shipped_paths
from cxrbench.app.widgets import terms
from cxrbench.app.widgets.share import link_popover
from cxrbench.app.widgets.tables import number_columns, table_expander
from cxrbench.compare import gallery
from cxrbench.evaluation import System
from cxrbench.models import catalog

__all__ = ["MAX_CASES", "case_columns", "case_table", "cases_part", "draw_cases"]

_ORDER: Final = "the most confident predictions first"
MAX_CASES: Final = 200  # listed in a table
_SHARED: Final = 12  # in the link of a case list: its QR code can still be read across a room


def cases_part(systems: Sequence[System]) -> None:
    """List the images of the cell of the confusion matrix that was clicked; some can be opened on Compare."""
    cell = shown_cell(systems)
    if cell is None:
        return
    system = cell.system
    images = case_table(system, cell.finding, cell.kind, cell.threshold)
    at_threshold = f" at threshold {cell.threshold:.4g}" if system.graded else ""
    st.header(f"{system.title}, {cell.finding}{at_threshold}: {KINDS[cell.kind]}")
    if images.empty:
        st.info("There is no such image: click another count, or move the threshold.")
        return
    models = [each.name for each in systems if not each.ensemble]
    draw_cases(images, cell.finding, models, cell.kind, order=_ORDER)


def case_table(system: System, finding: str, kind: str, threshold: float) -> pd.DataFrame:
    """Return the images of one cell of the confusion matrix, the most confident predictions first.

    Args:
        system: the system whose decisions are counted.
        finding: one of its labels.
        kind: a key of ``KINDS``.
        threshold: scores at or above it are predicted present; ignored for systems that vote.
    """
    column = system.shown.labels.index(finding)
    truth, scores = system.shown.targets[:, column], system.shown.scores[:, column]
    predicted = scores.astype(np.float64) >= threshold if system.graded else system.calls[:, column]
    in_cell = {
        "hits": predicted & (truth == 1),
        "alarms": predicted & (truth == 0),
        "misses": ~predicted & (truth == 1),
        "rejections": ~predicted & (truth == 0),
    }[kind]
    rows = np.flatnonzero(in_cell)
    confidence_order = scores[rows] if kind in ("misses", "rejections") else -scores[rows]
    return case_columns(system, rows[np.argsort(confidence_order, kind="stable")], column)


def case_columns(system: System, rows: np.ndarray, column: int) -> pd.DataFrame:
    """Return columns for a list of images: path, score, ground truth; sex, age and projection if known.

    Films of the shipped models' data set have the column ``film`` too: the path by which they are rendered.
    """
    table, truth = system.shown.table.iloc[rows], system.shown.targets[rows]
    labels = np.array(system.shown.labels)
    present = [", ".join(labels[row == 1]) or "none" for row in truth]
    images = pd.DataFrame(
        {
            "image": np.where(table["path"] != "", table["path"], table["patient"]),
            "score": system.shown.scores[rows, column],
            "present in truth": present,
        }
    )
    for name in ("sex", "age", "projection"):
        if (table[name].notna() & (table[name] != "")).any():
            images[name] = table[name].to_numpy()
    paths = shipped_paths(system.shown.table["path"].tolist(), system.shown.targets, system.shown.labels)
    if paths is not None:
        images["film"] = np.array(paths, dtype=object)[rows]
    return images


def draw_cases(images: pd.DataFrame, finding: str, models: Sequence[str], name: str, *, order: str) -> None:
    """Draw a list of images: a table of the first ones, and links to Compare for those that it can show."""
    by_study = {entry.study: entry for entry in gallery.cases() if entry.study}
    gallery_cases = [
        entry
        for study, entry in by_study.items()
        if any(path == study or path.endswith(f"/{study}") for path in images["image"])
    ]
    if gallery_cases:
        terms.markdown("Gallery cases with heat maps, each opens on Compare in a new tab:")
        shown_models = [model for model in models if model in gallery.models()] or list(gallery.models())[:1]
        with st.container(horizontal=True):
            for entry in gallery_cases:
                # In a tab of its own: Back from a page that was opened here would lose this page's settings.
                address = film_address(("case", entry.id), finding, shown_models)
                st.markdown(f":material/compare: [{entry.title}]({address})", width="content")
    first = f", the first {MAX_CASES} of them" if len(images) > MAX_CASES else ""
    shown, opened = _with_links(images[:MAX_CASES], finding, models)
    terms.caption(f"{len(images):,} images{first}, {order}. {opened}")
    _share(images, [entry.id for entry in gallery_cases], finding, models, name)
    config = number_columns(images) | {
        "present in truth": "findings present (ground truth)",
        "say yes": "votes",
        "Compare": st.column_config.LinkColumn(display_text="open", width=80),
    }
    st.dataframe(shown, hide_index=True, column_config=config)
    table_expander(images.drop(columns="film", errors="ignore"), f"cases-{name}")


def _with_links(images: pd.DataFrame, finding: str, models: Sequence[str]) -> tuple[pd.DataFrame, str]:
    """The images with their addresses on Compare, where they can be rendered; and what can be opened."""
    data_set = st.session_state.get("performance_data", "")
    installed = catalog.available()
    shown_models = [model for model in models if model in installed]
    if data_set:
        addresses = [
            own_set_films.compare_address(data_set, path, finding, shown_models) for path in images["image"]
        ]
        shown = images.drop(columns="film", errors="ignore")
        shown.insert(0, "Compare", addresses)
        return shown, f"Each opens on Compare in a new tab, read from the data set {data_set}."
    if "film" not in images:
        return images, "Only gallery cases can be opened: of other images no pixels are stored, only scores."
    shown = images.drop(columns="film")
    shown.insert(0, "Compare", [compare_address(path, finding, shown_models) for path in images["film"]])
    return shown, "Each opens on Compare in a new tab: the phantom is rendered again from its seed."


def _share(
    images: pd.DataFrame, gallery_ids: Sequence[str], finding: str, models: Sequence[str], name: str
) -> None:
    """Draw the link to the first images as a case list; nothing where Compare cannot show two of them."""
    films = list(images.get("film", gallery_ids))[:_SHARED]
    if len(films) < 2 or st.session_state.get("performance_data"):
        return
    installed = catalog.available()
    link = case_list_parameters(films, finding, [model for model in models if model in installed])
    about = f"Opens {len(films)} of these images on Compare, in this order, to be gone through one by one."
    link_popover(link, about, key=f"share_{name}", label="Share as a case list", page="compare")
