"""``cxrbench app``: opens the workbench, as ``streamlit run`` does, with the settings that ship with it."""

import argparse
import importlib.util
import os
import runpy
import sys

from cxrbench import assets
from cxrbench.errors import InputError

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Serve the workbench until interrupted, in this process.

    Raises:
        InputError: Streamlit is not installed.
    """
    if importlib.util.find_spec("streamlit") is None:
        raise InputError("The workbench needs Streamlit; install it: pip install 'cxrbench[app]'.")
    # Streamlit reads its settings beside the script; of an option that is given twice, the last counts.
    sys.argv = ["streamlit", "run", str(assets.workbench()), *_browser(), *options.options]
    runpy.run_module("streamlit", run_name="__main__", alter_sys=True)
    return 0


def _browser() -> list[str]:
    """Options that open the browser of a desktop; on a server, Streamlit only prints the address."""
    desktop = sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    return ["--server.headless=false", "--server.showEmailPrompt=false"] if desktop else []
