"""A phantom data set on disk in CheXpert's format: tables, images, masks, truth."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pandas as pd

from cxrbench.data.phantom.anatomy import draw_patient
from cxrbench.data.phantom.findings import FINDINGS
from cxrbench.data.phantom.labeller import certain
from cxrbench.data.phantom.phantom import box, render
from cxrbench.data.phantom.plan import Film, Study, plan
from cxrbench.data.phantom.shortcuts import Shortcut
from cxrbench.errors import InputError
from cxrbench.labels import CHEXPERT
from cxrbench.writing import check_targets, write_bytes, write_text

__all__ = ["PREFIX", "read_masks", "write"]

# What stands before train/, valid/ and test/ in the Path column, as CheXpert-v1.0-small does.
PREFIX = "CheXpert-phantom"

_NOTE: Final = "phantom.json"  # what the tree was written with

# What the bits of a mask file stand for.
_BITS = (*CHEXPERT, "Shortcut")

# CheXpert leaves the projection of a lateral film blank.
_VIEW_COLUMNS: Final[dict[str, dict[str, object]]] = {
    "PA": {"Frontal/Lateral": "Frontal", "AP/PA": "PA"},
    "AP": {"Frontal/Lateral": "Frontal", "AP/PA": "AP"},
    "LATERAL": {"Frontal/Lateral": "Lateral", "AP/PA": np.nan},
}


def write(
    out: Path | str,
    *,
    patients: int,
    seed: int = 0,
    size: int = 320,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    fractions: tuple[float, float, float] = (0.75, 0.05, 0.2),
    shortcuts: Sequence[Shortcut] = (),
    force: bool = False,
) -> Path:
    """Write a tree that any reader of CheXpert reads.

    `train.csv` carries the labeller's 1, 0, −1 and blank; `valid.csv` and `test.csv` the certain truth, as
    CheXpert's radiologist sets do; `truth.csv` the certain truth of all, severities and boxes; `masks/…` one
    16-bit PNG per image whose bit k is the mask of the k-th of CheXpert's fourteen. Where a study has a
    lateral film, that is `view2_lateral.png` beside the frontal one: a row of its own with the study's
    labels, and AP/PA blank. The same arguments give the same bytes with any number of workers. A second call
    takes up where an earlier one was stopped.

    Args:
        out: folder; made where absent.
        patients: how many; training patients have 2.9 studies on average.
        seed: decides all.
        size: pixels per side.
        workers: processes; all cores where absent. With more than one, a script must call this below
            `if __name__ == "__main__":`, because they import it anew.
        progress: called with (done, total) after each film.
        fractions: share of patients in train, valid and test.
        shortcuts: what to plant; truth.csv then has a column "Shortcut KIND" each, and bit 14 of the masks is
            where they are. A tree of the same seed and other rates has the same patients, the marker moved.
        force: write even where the folder holds other files, a tree of other arguments, or a table that was
            changed: files of this tree's names are replaced, the films of the old tree removed.

    Returns:
        `out`.

    Raises:
        InputError: the folder holds other files, a tree of other arguments, or a table that was changed.
    """
    root = Path(out)
    recipe = {"patients": patients, "seed": seed, "size": size, "fractions": list(fractions), "version": 2}
    if shortcuts:
        recipe["shortcuts"] = [asdict(shortcut) for shortcut in shortcuts]
    studies = plan(patients, seed=seed, fractions=fractions, shortcuts=shortcuts)
    _claim(root, recipe, studies, force=force)
    boxes: dict[str, dict[str, list[int]]] = {}
    total = sum(len(study.films) for study in studies)
    for done, (path, found) in enumerate(_taken(root, studies, size, workers or os.cpu_count() or 1), 1):
        boxes[path] = found
        if progress is not None:
            progress(done, total)
    tables = _tables(studies, boxes, [shortcut.kind for shortcut in shortcuts])
    _write_tables(root, tables, force=force)
    return root


def _claim(root: Path, recipe: dict[str, object], studies: list[Study], *, force: bool) -> None:
    """Make the folder ours, or find that it already is."""
    root.mkdir(parents=True, exist_ok=True)
    note = root / _NOTE
    if all(path.suffix == ".part" for path in root.iterdir()):  # nothing, or what a kill left of the note
        write_text(note, json.dumps(recipe))
        return
    found = _recipe_of(note)
    if found == recipe:
        return
    if not force:
        what = f"phantoms of other settings, {json.dumps(found)}" if found else "other files"
        raise InputError(
            f"{root} holds {what}; choose an empty folder for the phantoms, or add --force to replace."
        )
    # A film that is there counts as done: what is not of this tree must be gone before the note is changed.
    for film in (film for study in studies for film in study.films):
        (root / film.path).unlink(missing_ok=True)
        (root / "masks" / film.path).unlink(missing_ok=True)
    if found:
        _remove_films(root)
    write_text(note, json.dumps(recipe))


def _recipe_of(note: Path) -> dict[str, object] | None:
    """What the tree here was written with; None where there is none."""
    try:
        found = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and "patients" in found else None


def _remove_films(root: Path) -> None:
    """Remove every film of a tree that has a mask: those were written here."""
    for mask in (root / "masks").glob("*/*/*/*.png"):
        (root / mask.relative_to(root / "masks")).unlink(missing_ok=True)
        mask.unlink()


def _taken(
    root: Path, studies: list[Study], size: int, workers: int
) -> Iterator[tuple[str, dict[str, list[int]]]]:
    """Take every film, here or in worker processes."""
    films = [(study, film) for study in studies for film in study.films]
    if workers == 1:
        for study, film in films:
            yield film.path, _take(root, study, film, size)
        return
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_begin, initargs=(os.getpid(),)
    ) as pool:
        futures: dict[Future[dict[str, list[int]]], str] = {}
        futures = {pool.submit(_take, root, study, film, size): film.path for study, film in films}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _begin(parent: int) -> None:
    """Each process is one of many: no threads of its own, but one that ends it when its parent was killed."""
    cv2.setNumThreads(1)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    """Wait until another process adopts us, which means that ours is gone; then nobody wants our films."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _take(root: Path, study: Study, film: Film, size: int) -> dict[str, list[int]]:
    """Take one film unless it is there; say the boxes of its findings."""
    image, masks = root / film.path, root / "masks" / film.path
    if not (image.exists() and masks.exists()):
        phantom = render(
            study.seed,
            study.findings,
            view=film.view,
            size=size,
            exposure=study.number,
            shortcuts=study.shortcuts,
        )
        bits = np.zeros((size, size), np.uint16)
        for name, mask in phantom.masks.items():
            bits |= mask.astype(np.uint16) << _BITS.index(name)
        for mask in phantom.shortcuts.values():
            bits |= mask.astype(np.uint16) << _BITS.index("Shortcut")
        _save(masks, bits)
        _save(image, np.rint(phantom.image * 255).astype(np.uint8))
    return {name: list(box(mask)) for name, mask in read_masks(masks).items() if mask.any()}


def _save(path: Path, pixels: np.ndarray) -> None:
    """Write a PNG whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 4])[1].tobytes()
    write_bytes(path, data)


def read_masks(path: Path | str) -> dict[str, np.ndarray]:
    """The masks of one image.

    Args:
        path: a file below `masks/`.

    Returns:
        Finding → (H, W) bool, for those that have a pixel; "Shortcut" likewise.

    Raises:
        InputError: the file is not a readable mask.
    """
    bits: np.ndarray | None = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if bits is None or bits.dtype != np.uint16 or bits.ndim != 2:
        raise InputError(
            f"{path} is not a 16-bit mask file of a phantom; give one below the tree's masks folder."
        )
    masks = {name: (bits & (1 << k)).astype(bool) for k, name in enumerate(_BITS)}
    return {name: mask for name, mask in masks.items() if mask.any()}


def _tables(studies: list[Study], boxes: dict[str, dict[str, list[int]]], kinds: list[str]) -> dict[str, str]:
    """train.csv, valid.csv, test.csv and truth.csv: name → content, of those that have a row."""
    rows: dict[str, list[dict[str, object]]] = {"train": [], "valid": [], "test": [], "truth": []}
    for study in studies:
        body = draw_patient(study.seed)
        whose = {"Sex": "Male" if body.sex == "M" else "Female", "Age": body.age}
        truth: dict[str, object] = {name: float(v) for name, v in certain(study.findings).items()}
        told: dict[str, object] = {**study.labels} if study.split == "train" else truth
        severities = {f"Severity {name}": study.findings.get(name, np.nan) for name in FINDINGS}
        planted = {f"Shortcut {kind}": int(kind in study.shortcuts) for kind in kinds}
        for film in study.films:
            head: dict[str, object] = {"Path": f"{PREFIX}/{film.path}", **whose, **_VIEW_COLUMNS[film.view]}
            rows[study.split].append(head | told)
            rest = {"Boxes": json.dumps(boxes[film.path])}
            rows["truth"].append({**head, "Split": study.split, **truth, **severities, **planted, **rest})
    return {f"{name}.csv": pd.DataFrame(table).to_csv(index=False) for name, table in rows.items() if table}


def _write_tables(root: Path, tables: dict[str, str], *, force: bool) -> None:
    """Write the tables; one that is there already and says the same is left as it is."""
    other = {name: text for name, text in tables.items() if not _holds(root / name, text)}
    check_targets([root / name for name in other], force=force)
    for name, text in other.items():
        write_text(root / name, text)


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode("utf-8")
