"""The uploader of all pages, which a teacher can lock."""

from typing import Any

import streamlit as st

from cxrbench.app.navigation import class_mode

__all__ = ["file_uploader"]


def file_uploader(label: str, **options: Any) -> Any:
    """Draw Streamlit's uploader; in class mode the sentence that there is none.

    Args:
        label: of the widget.
        options: as of ``st.file_uploader``.

    Returns:
        What ``st.file_uploader`` returns; in class mode as if nothing was uploaded.
    """
    if not class_mode():
        return st.file_uploader(label, **options)
    st.caption(":material/lock: Uploads are switched off in this class.")
    return [] if options.get("accept_multiple_files") else None
