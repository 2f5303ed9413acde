"""Tables: number formats, and an expander with a download."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

__all__ = ["number_columns", "table_expander"]


def table_expander(table: pd.DataFrame, name: str, config: Mapping[str, Any] | None = None) -> None:
    """Draw the data of a chart as a table with a CSV download, in a closed expander."""
    with st.expander("Data table", key=f"numbers_{name}", on_change="rerun") as more:
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


def number_columns(table: pd.DataFrame, form: str = "%.3f") -> dict[str, Any]:
    """Column configuration of ``st.dataframe`` for columns of floats."""
    return {
        column: st.column_config.NumberColumn(format="%d" if column == "age" else form)
        for column in table.columns
        if table[column].dtype.kind == "f"
    }
