"""Which folders of the server's machine a visitor of the workbench may name.

A page that opens any folder whose path is typed in would let everybody who reaches the server look for
files on it. Therefore folders can be named only by whoever sits at the machine, or below folders that the
machine's owner has listed.
"""

import ipaddress
import os
from pathlib import Path
from typing import Final

import streamlit as st

from cxrbench.errors import InputError

__all__ = ["ROOTS", "check_folder", "is_local", "may_name_folders", "roots", "without_folders"]

ROOTS: Final = "CXRBENCH_DATA_ROOTS"  # environment variable: folders, separated as in PATH
# A proxy adds one of them: the visitor is then somewhere else, although the server listens to this machine.
_FORWARDED: Final = ("X-Forwarded-For", "X-Real-Ip", "Forwarded")


def is_local() -> bool:
    """Whether only users of this machine reach the server: it listens on loopback, and behind no proxy."""
    address = str(st.get_option("server.address") or "")
    if any(name in st.context.headers for name in _FORWARDED):
        return False
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:  # no address: it listens on all
        return False


def roots() -> tuple[Path, ...]:
    """The folders below which every visitor may name one, as CXRBENCH_DATA_ROOTS lists them."""
    return tuple(Path(part) for part in os.environ.get(ROOTS, "").split(os.pathsep) if part)


def may_name_folders() -> bool:
    """Whether this visitor may name a folder at all."""
    return bool(roots()) or is_local()


def check_folder(folder: Path) -> None:
    """Refuse a folder that this visitor may not name, before anything is looked up in it.

    Raises:
        InputError: the server is open to a network, and the folder is not below one of the listed ones.
    """
    if is_local():
        return
    real = folder.resolve()
    if not any(real.is_relative_to(root.resolve()) for root in roots()):
        raise InputError(
            f"{folder} cannot be added from here: this workbench is open to a network; give a folder below "
            f"those that its owner listed in {ROOTS}, or add it on the machine itself with "
            "'cxrbench data add DIR'."
        )


def without_folders(text: str) -> str:
    """A sentence as this visitor may read it: from elsewhere, without the folders of the server's machine."""
    return text if is_local() else " ".join(word.rpartition("/")[2] for word in text.split(" "))
