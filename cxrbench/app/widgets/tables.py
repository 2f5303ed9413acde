"""Tables: how they are drawn, and how they are downloaded."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

__all__ = ["numbers", "rounded"]


def numbers(table: pd.DataFrame, name: str, config: Mapping[str, Any] | None = None) -> None:
    """The numbers behind a chart, closed until they are asked for, and as a file."""
    with st.expander("The numbers", key=f"numbers_{name}", on_change="rerun") as more:
        if more.open:
            st.dataframe(table, hide_index=True, column_config=config)
            st.download_button(
                "CSV",
                table.to_csv(index=False).encode(),
                f"cxrbench-{name}.csv".replace(" ", "-"),
                "text/csv",
                on_click="ignore",
                icon=":material/download:",
                key=f"csv_{name}",
            )


def rounded(table: pd.DataFrame, form: str = "%.3f") -> dict[str, Any]:
    """How ``st.dataframe`` writes the columns that hold numbers with a point."""
    return {
        column: st.column_config.NumberColumn(format="%d" if column == "age" else form)
        for column in table.columns
        if table[column].dtype.kind == "f"
    }
