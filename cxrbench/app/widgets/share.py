"""The link to what is on screen with its QR code, so that a class opens it on devices of its own."""

import io
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final, Literal
from urllib.parse import urlencode, urljoin, urlsplit

import segno
import streamlit as st

from cxrbench.app.widgets import presenter

__all__ = [
    "code_png",
    "draw_link",
    "link_dialog",
    "link_popover",
    "page_address",
    "share_popover",
    "this_computer_only",
]

_SIDE: Final = 800  # pixels of a picture, at least: sharp on a projector
_SHOWN: Final = 440  # pixels of the picture on the page: a third of a projector's height
_QUIET: Final = 4  # modules of white around the code, as ISO/IEC 18004 asks for
_LOCAL: Final = ("localhost", "127.0.0.1", "::1", "0.0.0.0")
_UNREACHABLE: Final = (
    "This address leads to this computer only: other devices cannot reach it. In a network that you trust, "
    "start the workbench with `--server.address 0.0.0.0`, and open it here by the computer's name or network "
    "address."
)


def page_address(page: str = "") -> str:
    """The address of a page in the reader's browser, without parameters; relative if it is unknown.

    Args:
        page: the page, as its address ends; default: this one.
    """
    return urljoin((st.context.url or "").rstrip("/"), page)


@lru_cache(maxsize=32)
def code_png(text: str) -> bytes | None:
    """A QR code as a PNG image, dark on white in any theme, with its quiet zone.

    Args:
        text: to encode, such as a link.

    Returns:
        None for a text that no QR code can hold: more than about 2,300 letters.
    """
    try:
        code = segno.make_qr(text, error="m")  # more where a code of the same size can correct more
    except segno.DataOverflowError:
        return None
    modules, _ = code.symbol_size(scale=1, border=_QUIET)
    file = io.BytesIO()
    code.save(file, kind="png", scale=-(-_SIDE // modules), border=_QUIET, dark="#000", light="#fff")
    return file.getvalue()


def this_computer_only(address: str) -> bool:
    """Whether an address leads to the server on this computer only."""
    return urlsplit(address).hostname in _LOCAL


def draw_link(parameters: Iterable[tuple[str, str]], about: str, page: str = "") -> None:
    """Draw a link with its QR code, large enough for a projector.

    Args:
        parameters: query parameters of the link.
        about: what the link opens, as a sentence.
        page: the page that it opens, as its address ends; default: this one.
    """
    address = page_address(page)
    # Paths of films stay readable, and the code small.
    link = f"{address}?{urlencode(list(parameters), safe='/')}"
    code = code_png(link)
    with st.container(horizontal=True):
        if code is not None:
            st.image(code, width=_SHOWN, output_format="PNG", alt="QR code of the link.")
        with st.container(width="stretch"):
            st.markdown(about)
            if code is None:
                st.info("The link is too long for a QR code: show fewer edits or methods, or copy it.")
            st.code(link, language=None, wrap_lines=True)
            if this_computer_only(address):
                st.warning(_UNREACHABLE)


def share_popover(draw: Callable[[], None], *, key: str, label: str = "Share") -> None:
    """Draw a button that opens what is shared; a page that is drawn again leaves it open.

    Args:
        draw: called to draw it, while it is open.
        key: of the element.
        label: of the button.
    """
    with st.popover(label, icon=":material/qr_code_2:", key=key, width="content", on_change="rerun") as more:
        if more.open:
            draw()


def link_popover(
    parameters: Iterable[tuple[str, str]], about: str, *, key: str, label: str = "Share", page: str = ""
) -> None:
    """Draw a button that opens a link with its QR code; arguments as of ``draw_link``, ``share_popover``."""
    share_popover(lambda: draw_link(parameters, about, page), key=key, label=label)


def link_dialog(parameters: Iterable[tuple[str, str]], about: str) -> None:
    """Show the link with its QR code at once; arguments as of ``draw_link``."""
    width: Literal["medium", "large"] = "large" if presenter.presenting() else "medium"
    st.dialog("Link and QR code", width=width)(draw_link)(parameters, about)
