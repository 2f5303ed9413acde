"""A phantom data set on disk in CheXpert's format: tables, images, masks, truth."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pandas as pd

from cxrbench.data.phantom.anatomy import draw_patient
from cxrbench.data.phantom.findings import FINDINGS
from cxrbench.data.phantom.labeller import certain
from cxrbench.data.phantom.phantom import box, expose
from cxrbench.data.phantom.plan import Film, Study, plan
from cxrbench.data.phantom.shortcuts import Shortcut
from cxrbench.data.phantom.twin_files import (
    film_twins,
    missing_twins,
    twin_columns,
    twin_paths,
)
from cxrbench.errors import InputError
from cxrbench.labels import CHEXPERT
from cxrbench.writing import check_targets, write_bytes, write_text

__all__ = ["PREFIX", "holds_phantoms", "read_masks", "write"]

# Prefix of train/, valid/ and test/ in the Path column, like CheXpert-v1.0-small.
PREFIX = "CheXpert-phantom"

_NOTE: Final = "phantom.json"  # the arguments with which the tree was written

# Meaning of the bits of a mask file.
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
    twins: bool = False,
    force: bool = False,
) -> Path:
    """Write a data set in CheXpert's layout, for any reader of CheXpert.

    `train.csv` holds the labeller's 1, 0, −1 and blank; `valid.csv` and `test.csv` the truth, 0 or 1, like
    the labels of CheXpert's radiologists; `truth.csv` the truth, severities and boxes of all images;
    `masks/…` one 16-bit PNG per image whose bit k is the mask of the k-th of CheXpert's fourteen labels. The
    lateral film of a study is `view2_lateral.png` beside the frontal one: a row of its own with the study's
    labels and a blank AP/PA. The same arguments give the same bytes with any number of workers. A second call
    resumes an interrupted one.

    Args:
        out: folder; created if missing.
        patients: number of patients; training patients have 2.9 studies on average.
        seed: of all draws.
        size: pixels per side.
        workers: processes; by default one per core. With more than one, a script must call this below
            `if __name__ == "__main__":`, because each process imports the script again.
        progress: called with (done, total) after each film.
        fractions: fractions of patients in train, valid and test.
        shortcuts: the shortcuts to plant; truth.csv then has one column "Shortcut KIND" per kind, and bit 14
            of the masks marks them. The same seed with other rates gives the same patients, with the
            shortcuts on other films.
        twins: also write the twins of the test films: each film without each of its findings, planted
            shortcuts and side marker, as `twins/…` and in `twins.csv`, which `read_chexpert` reads as a data
            set and `read_twins` as pairs. They can be added to a tree that was written without them.
        force: write even where the folder holds other files, a tree of other arguments, or a table that was
            changed: files with the names of this tree are replaced, films of the old tree removed.

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
    _prepare_folder(root, recipe, studies, force=force)
    films: dict[str, _Written] = {}
    total = sum(len(study.films) for study in studies)
    for done, (path, written) in enumerate(
        _render_films(root, studies, size, workers or os.cpu_count() or 1, twins=twins), 1
    ):
        films[path] = written
        if progress is not None:
            progress(done, total)
    tables = _tables(studies, films, [shortcut.kind for shortcut in shortcuts])
    _write_tables(root, tables, force=force)
    return root


@dataclass(frozen=True)
class _Written:
    """What the tables need of a film that is on disk.

    Args:
        boxes: finding → box of its mask.
        twins: path of each twin below the tree's root, and its columns.
    """

    boxes: dict[str, list[int]]
    twins: dict[str, dict[str, object]]


def holds_phantoms(folder: Path) -> bool:
    """Whether `write` wrote the data set in this folder: its films are simulated, whatever their form."""
    return (folder / _NOTE).is_file()


def _prepare_folder(root: Path, recipe: dict[str, object], studies: list[Study], *, force: bool) -> None:
    """Claim a folder for this tree, or check that it already holds this tree."""
    root.mkdir(parents=True, exist_ok=True)
    note = root / _NOTE
    if all(path.suffix == ".part" for path in root.iterdir()):  # empty, or a partial note of a killed process
        write_text(note, json.dumps(recipe))
        return
    existing = _recipe_of(note)
    if existing == recipe:
        return
    if not force:
        content = f"phantoms of other settings, {json.dumps(existing)}" if existing else "other files"
        raise InputError(
            f"{root} holds {content}; choose an empty folder for the phantoms, or add --force to replace."
        )
    # An existing film counts as done: films of another tree must be removed before the note is changed.
    for film in (film for study in studies for film in study.films):
        (root / film.path).unlink(missing_ok=True)
        (root / "masks" / film.path).unlink(missing_ok=True)
    if existing:
        _remove_films(root)
    write_text(note, json.dumps(recipe))


def _recipe_of(note: Path) -> dict[str, object] | None:
    """The arguments with which a tree was written; None where there is no tree."""
    try:
        recipe = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return recipe if isinstance(recipe, dict) and "patients" in recipe else None


def _remove_films(root: Path) -> None:
    """Remove every film of a tree that has a mask, which identifies it as a phantom, and its twins."""
    for mask in (root / "masks").glob("*/*/*/*.png"):
        path = mask.relative_to(root / "masks")
        (root / path).unlink(missing_ok=True)
        for twin in (root / "twins" / path.parent).glob(f"{path.stem}_without_*.png"):
            twin.unlink()
        mask.unlink()


def _render_films(
    root: Path, studies: list[Study], size: int, workers: int, *, twins: bool
) -> Iterator[tuple[str, _Written]]:
    """Render every film, here or in worker processes; yield path and content of each."""
    films = [(study, film) for study in studies for film in study.films]
    if workers == 1:
        for study, film in films:
            yield film.path, _render_film(root, study, film, size, twins)
        return
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_start_worker, initargs=(os.getpid(),)
    ) as pool:
        futures: dict[Future[_Written], str] = {}
        futures = {
            pool.submit(_render_film, root, study, film, size, twins): film.path for study, film in films
        }
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _start_worker(parent: int) -> None:
    """Initialise a worker: one OpenCV thread, and a thread that ends the process if its parent is killed."""
    cv2.setNumThreads(1)
    threading.Thread(target=_exit_with_parent, args=(parent,), daemon=True).start()


def _exit_with_parent(parent: int) -> None:
    """Exit once another process has become the parent, which means that the original one has ended."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _render_film(root: Path, study: Study, film: Film, size: int, twins: bool) -> _Written:
    """Render one film and its twins unless they exist."""
    image, masks = root / film.path, root / "masks" / film.path
    scenario = study.scenario(film, size)
    if not (image.exists() and masks.exists()):
        phantom = expose(scenario)
        bits = np.zeros((size, size), np.uint16)
        for name, mask in phantom.masks.items():
            bits |= mask.astype(np.uint16) << _BITS.index(name)
        for mask in phantom.shortcuts.values():
            bits |= mask.astype(np.uint16) << _BITS.index("Shortcut")
        _save(masks, bits)
        _save(image, np.rint(phantom.image * 255).astype(np.uint8))
    found = read_masks(masks)
    boxes = {name: list(box(mask)) for name, mask in found.items() if mask.any()}
    if not twins or study.split != "test":
        return _Written(boxes, {})
    missing = missing_twins(root, film, scenario)
    for part, phantom in film_twins(scenario, list(missing)) if missing else ():
        _save(root / missing[part], np.rint(phantom.image * 255).astype(np.uint8))
    pixels = _grey(image)
    columns = {
        path: twin_columns(part, study, scenario, pixels, _grey(root / path), found)
        for part, path in twin_paths(film, scenario).items()
    }
    return _Written(boxes, columns)


def _grey(path: Path) -> np.ndarray:
    """The samples of a film that was written, (H, W) uint8."""
    pixels: np.ndarray | None = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise InputError(f"{path} cannot be read; remove it, and it is rendered again.")
    return pixels


def _save(path: Path, pixels: np.ndarray) -> None:
    """Write a PNG atomically, with OpenCV: ``png_bytes`` takes three to four times as long."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 4])[1].tobytes()
    write_bytes(path, data)


def read_masks(path: Path | str) -> dict[str, np.ndarray]:
    """Read the masks of one image.

    Args:
        path: a file below `masks/`.

    Returns:
        Finding → (H, W) bool, for masks that are not empty; "Shortcut" likewise.

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


def _tables(studies: list[Study], films: dict[str, _Written], kinds: list[str]) -> dict[str, str]:
    """Contents of train.csv, valid.csv, test.csv, truth.csv and twins.csv by name, without empty tables."""
    names = ("train", "valid", "test", "truth", "twins")
    rows: dict[str, list[dict[str, object]]] = {name: [] for name in names}
    for study in studies:
        patient = draw_patient(study.seed)
        demographics = {"Sex": "Male" if patient.sex == "M" else "Female", "Age": patient.age}
        truth: dict[str, object] = {name: float(v) for name, v in certain(study.findings).items()}
        labels: dict[str, object] = {**study.labels} if study.split == "train" else truth
        severities = {f"Severity {name}": study.findings.get(name, np.nan) for name in FINDINGS}
        planted = {f"Shortcut {kind}": int(kind in study.shortcuts) for kind in kinds}
        for film in study.films:
            common: dict[str, object] = {
                "Path": f"{PREFIX}/{film.path}",
                **demographics,
                **_VIEW_COLUMNS[film.view],
            }
            rows[study.split].append(common | labels)
            boxes_column = {"Boxes": json.dumps(films[film.path].boxes)}
            for path, columns in films[film.path].twins.items():
                rows["twins"].append(
                    {**common, "Path": f"{PREFIX}/{path}", **columns, "Twin of": common["Path"]}
                )
            rows["truth"].append(
                {**common, "Split": study.split, **truth, **severities, **planted, **boxes_column}
            )
    return {f"{name}.csv": pd.DataFrame(table).to_csv(index=False) for name, table in rows.items() if table}


def _write_tables(root: Path, tables: dict[str, str], *, force: bool) -> None:
    """Write the tables that are missing or differ from the files in the folder."""
    changed = {name: text for name, text in tables.items() if not _has_content(root / name, text)}
    check_targets([root / name for name in changed], force=force)
    for name, text in changed.items():
        write_text(root / name, text)


def _has_content(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode("utf-8")
