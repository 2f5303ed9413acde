"""The folder of a run: whether a recipe may use it, which recipe it holds, and its log."""

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from cxrbench.errors import InputError
from cxrbench.training.config import TrainConfig
from cxrbench.training.records import record
from cxrbench.training.run.status import claim, read_status
from cxrbench.writing import write_text

__all__ = ["check_folder", "logged", "write_recipe"]

_RECIPE: Final = "recipe.json"  # recipe of the run, in its folder
_LOG: Final = "log.txt"
_FILES_BEFORE_START: Final = {"recipe.toml", "console.txt", "lock"}  # written by the Train page


def check_folder(config: TrainConfig, out: Path, *, force: bool) -> None:
    """Refuse a folder that holds something other than a run of this recipe, unless ``force``."""
    if out.exists() and not out.is_dir():
        raise InputError(f"--out must be a folder; {out} is a file.")
    present = {path.name for path in out.iterdir()} if out.is_dir() else set()
    others = {name for name in present if not name.endswith(".part")} - _FILES_BEFORE_START
    if not others:
        return
    known = read_status(out) is not None
    if not known and not force:
        raise InputError(
            f"{out} holds files that are not of a run ({', '.join(sorted(others)[:3])}); choose "
            "another --out, or add --force."
        )
    other = _fingerprint(out / _RECIPE) not in ("", config.fingerprint)
    if other and not force:
        raise InputError(
            f"{out} holds a run of another recipe; choose another --out, or add --force to restart it."
        )
    if other and known:
        with claim(out):  # refuses while a process trains there
            shutil.rmtree(out / "state", ignore_errors=True)


def write_recipe(out: Path, config: TrainConfig) -> None:
    """Write the recipe into the folder of its run."""
    write_text(out / _RECIPE, json.dumps(config.as_dict(), indent=1) + "\n")


def _fingerprint(recipe: Path) -> str:
    """Fingerprint of the recipe in a run's folder; "" if it cannot be read."""
    try:
        config: TrainConfig = record(TrainConfig, json.loads(recipe.read_text(encoding="utf8")), recipe.name)
    except (OSError, ValueError):  # InputError is a ValueError: a recipe of a version with other settings
        return ""
    return config.fingerprint


def logged(say: Callable[[str], None], out: Path) -> Callable[[str], None]:
    """A function that passes a line to ``say`` and appends it to the log of the run."""

    def say_and_log(line: str) -> None:
        say(line)
        with (
            suppress(OSError),
            (out / _LOG).open("a", encoding="utf8") as file,
        ):  # a full disk must not stop the run
            file.write(line + "\n")

    return say_and_log
