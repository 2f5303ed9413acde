"""Tab of the Judge page: the films on which a method does best and worst, which open on Compare."""

from typing import Final

import pandas as pd
import streamlit as st

from cxrbench.app.judge.controls import Selection
from cxrbench.app.judge.results import method_title
from cxrbench.app.judge.words import direction
from cxrbench.app.services.shipped_films import compare_address
from cxrbench.app.widgets import terms
from cxrbench.app.widgets.tables import number_columns, table_expander
from cxrbench.judge import CRITERIA
from cxrbench.models import catalog

__all__ = ["films_part", "ranked_maps"]

_LISTED: Final = 8  # films per list


def films_part(selection: Selection) -> None:
    """Draw two lists of maps of the method: the best and the worst by the criterion."""
    record = CRITERIA[selection.criterion]
    maps = ranked_maps(selection)
    if maps.empty:
        st.info(
            f"{method_title(selection.method)} has no value of {record.title} here: it may not apply to "
            f"{selection.model}, or the criterion is undefined. Choose another method or criterion."
        )
        return
    opened = "Each opens on Compare in a tab of its own, where the phantom is rendered again from its seed."
    if not selection.judged.simulated:
        opened = "These films are not of the shipped models' data set, and cannot be rendered."
    terms.markdown(
        f"**{method_title(selection.method)}** by **{record.title}** ({direction(record).lower()}), "
        f"{len(maps):,} maps. {opened}"
    )
    names = ("Best", "Worst") if record.higher_is_better is not None else ("Largest", "Smallest")
    for title, column, listed in zip(names, st.columns(2), (maps, maps[::-1]), strict=True):
        with column:
            _draw_list(title, listed.drop_duplicates("film")[:_LISTED], selection)
    terms.caption(
        "One map per film, those of equal value in the order of the data set. A single film may be lucky or "
        "unlucky: what a method is worth is in the part “Methods”."
    )
    table_expander(maps, f"judge-films-{selection.method}-{selection.criterion}", number_columns(maps))


def ranked_maps(selection: Selection) -> pd.DataFrame:
    """The maps of the method with a value of the criterion, the best first: film, finding, value, best."""
    rows = selection.rows
    own = rows[(rows["method"] == selection.method) & (rows["criterion"] == selection.criterion)]
    own = own[["film", "finding", "value", "best"]].dropna(subset=["value"])
    own = own.astype({"film": str, "finding": str}).sort_values(["film", "finding"])
    order = CRITERIA[selection.criterion].rank_value(own["value"].to_numpy())
    ranked = own.iloc[(-order).argsort(kind="stable")].reset_index(drop=True)
    return ranked.rename(columns={"best": "reachable"})


def _draw_list(title: str, maps: pd.DataFrame, selection: Selection) -> None:
    st.header(title)
    models = [selection.model] if selection.model in catalog.available() else []
    for row in maps.to_dict("records"):
        text = f"{row['value']:.2f}".replace("-", "−")
        if row["reachable"] == row["reachable"]:
            text += f" of {row['reachable']:.2f} reachable"
        label = f"{_film_title(row['film'])}, {row['finding']}: {text}"
        if not selection.judged.simulated:
            st.markdown(label)
            continue
        # In a tab of its own: Back from a page that was opened here would lose this page's settings.
        address = compare_address(row["film"], row["finding"], models, [selection.method])
        st.markdown(f":material/compare: [{label}]({address})")


def _film_title(path: str) -> str:
    """``test/patient03178/study1/view1_frontal.png`` → ``patient 3178``; other names as they are."""
    folders = path.split("/")
    number = folders[-3].removeprefix("patient") if len(folders) > 2 else ""
    return f"patient {int(number)}" if number.isdigit() else path
