"""Scores a list of files with a model: streamed, distributed, resumable.

What is held at a time is two batches of images, and a row of scores per image. What is known of a file is
kept on disk by its content (``score_store.py``): a film that changes is scored anew, one that could not be
read is tried again, and a list in another order, or a longer one, costs only what is new.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cxrbench import assets
from cxrbench.data import read_image
from cxrbench.data.reading import reading_version, sha256_or_empty, stamp_of
from cxrbench.errors import InputError
from cxrbench.evaluation.score_store import Line, Scored, ScoreStore, gathered
from cxrbench.inference import forward, sigmoid
from cxrbench.models import Classifier
from cxrbench.models.classifier import check_inference
from cxrbench.processes import this_process

__all__ = ["Scored", "score_files"]


@dataclass(frozen=True)
class _Read:
    """One file, read: its line without scores, and what the network sees of it; None if it cannot be read."""

    line: Line
    image: Tensor | None


def score_files(
    model: Classifier,
    paths: Sequence[Path],
    folder: Path,
    *,
    batch: int = 16,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Scored:
    """Scores of every file that can be read.

    Scores that are known are taken from ``folder``: by the file's size and times where those are as before,
    or else by its SHA-256; and only those of the same weights, recipe and reading code. Files that could not
    be read are tried again. Under accelerate each process takes every so-manieth file and runs on its own
    device; all return when all are done.

    Args:
        model: in eval mode; moved to this process's device.
        paths: of the images.
        folder: where scores are kept; made if need be.
        batch: images in one forward pass.
        workers: threads that read images ahead; by default one per core.
        progress: called in the first process with (its files done, its files in all).

    Returns:
        The scores, of the whole list, in its order.

    Raises:
        InputError: there is no file to score, a batch is no batch, or the model is in train mode or of 16
            bits (``check_inference``).
    """
    check_inference(model, model.spec.name)
    if not paths or batch < 1:
        raise InputError(f"Scoring takes an image and a batch of at least 1; got {len(paths)} and {batch}.")
    state = this_process()
    store = ScoreStore(folder, _key(model), state.process_index, len(model.spec.labels))
    # By the row's number, not its place among those left: others may already be writing theirs.
    mine = np.arange(len(paths))[state.process_index :: state.num_processes]
    model = model.to(state.device)
    report = progress if state.is_main_process else None
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        left = _unknown(pool, store, paths, mine)
        done = 0
        for read in _ahead(pool, model, [paths[row] for row in left], batch):
            store.append(_scored(model, read))
            done += len(read)
            if report:
                report(done, len(left))
    state.wait_for_everyone()
    store.read()
    return gathered(store, paths, len(model.spec.labels))


def _unknown(
    pool: ThreadPoolExecutor, store: ScoreStore, paths: Sequence[Path], rows: np.ndarray
) -> list[int]:
    """The rows that have to be scored; what is known by content alone is written down under its path."""
    found = list(pool.map(store.find, [paths[row] for row in rows]))
    store.append([line for line, new in found if line is not None and new])
    return [int(row) for row, (line, _) in zip(rows, found, strict=True) if line is None]


def _ahead(
    pool: ThreadPoolExecutor, model: Classifier, paths: Sequence[Path], batch: int
) -> Iterator[list[_Read]]:
    """Files in batches: while one is scored, the next is being read."""

    def read(start: int) -> list[Future[_Read]]:
        return [pool.submit(_image, model, path) for path in paths[start : start + batch]]

    coming = read(0)
    for start in range(0, len(paths), batch):
        here, coming = coming, read(start + batch)
        yield [future.result() for future in here]


def _image(model: Classifier, path: Path) -> _Read:
    """One file, read and prepared. Nothing a file may do gets out of here."""
    line = Line(str(path.absolute()), stamp_of(path), "", None)
    try:
        film = read_image(path, name=str(path))
        return _Read(replace(line, sha256=film.sha256, note=film.note), model.spec.preprocessing(film.pixels))
    except InputError as error:
        return _Read(replace(line, problem=str(error)), None)
    except Exception as error:  # a decoder's own fault, out of memory
        reason = f"{path}: it could not be decoded ({type(error).__name__}: {error})."
        return _Read(replace(line, problem=reason), None)


def _scored(model: Classifier, read: Sequence[_Read]) -> list[Line]:
    """The lines of a batch, with the scores of those images that could be read."""
    images = [one.image for one in read if one.image is not None]
    rows: Iterator[tuple[np.ndarray, float]] = iter(())
    if images:
        logits, distances = forward(model, torch.stack(images))
        rows = zip(sigmoid(logits), distances, strict=True)
    lines = []
    for one in read:
        if one.image is None:
            lines.append(one.line)
            continue
        scores, distance = next(rows)
        lines.append(replace(one.line, scores=scores, distance=distance))
    return lines


def _key(model: Classifier) -> str:
    """What scores depend on besides the file: the weights as they are now, recipe, reading code."""
    digest = hashlib.sha256(reading_version().encode())
    for name, tensor in model.state_dict().items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    recipe = model.spec.preprocessing
    digest.update(f"{model.spec.architecture} {model.spec.labels} {recipe.as_dict()}\n".encode())
    if (statistics := model.feature_statistics) is not None:
        digest.update(
            f"{statistics.limit!r} {statistics.mean.sum()!r} {statistics.variances.sum()!r}".encode()
        )
    if recipe.crop == "lungs":
        digest.update(sha256_or_empty(assets.lungs() / "model.safetensors").encode())
    return digest.hexdigest()[:24]
