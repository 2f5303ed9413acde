"""Score a list of files with a model: streamed, shared out between processes, and resumable.

What is held at a time is two batches of images and, on disk, a row of scores an image. Rows that are not
scored yet are NaN in that file, rows whose image cannot be read are −1, so a run that was stopped goes on.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from accelerate import PartialState
from torch import Tensor

from cxrbench.data import read_image
from cxrbench.errors import InputError
from cxrbench.models import Classifier

__all__ = ["Scored", "score_files"]

_UNREADABLE = -1.0


class Scored:
    """Scores of files as far as they are known: a view of the file they are kept in.

    Args:
        scores: (N, L) float32, memory-mapped.
    """

    def __init__(self, scores: np.ndarray) -> None:
        self.scores = scores

    @property
    def missing(self) -> np.ndarray:
        """(N,) bool: not scored yet."""
        return np.isnan(self.scores[:, 0])

    @property
    def unreadable(self) -> np.ndarray:
        """(N,) bool: the image could not be read."""
        return np.asarray(self.scores[:, 0] == _UNREADABLE)


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

    Under accelerate each process takes every so-manieth file and runs on its own device; all return when all
    are done. The scores' file is named after the weights, the recipe and the paths, so that other weights or
    files start anew.

    Args:
        model: in eval mode; moved to this process's device.
        paths: of the images.
        folder: where the scores are kept while the run goes on; made if need be.
        batch: images a forward pass.
        workers: threads that read images ahead; by default one a core.
        progress: called in the first process with (its files done, its files in all).

    Returns:
        The scores, of the whole list, in its order.

    Raises:
        InputError: there is no file to score, or a batch is no batch.
    """
    if not paths or batch < 1:
        raise InputError(f"Scoring takes an image and a batch of at least 1; got {len(paths)} and {batch}.")
    state = PartialState()
    store = folder / f"{_key(model, paths)}.npy"
    with state.main_process_first():
        scored = Scored(_opened(store, len(paths), len(model.spec.labels)))
    # By the row's number, not its place among those left: others may already be writing theirs.
    mine = np.arange(len(paths)) % state.num_processes == state.process_index
    left = np.flatnonzero(scored.missing & mine)
    model = model.to(state.device)
    told = progress if state.is_main_process else None
    done = 0
    batches = np.array_split(left, range(batch, len(left), batch))
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        for rows, images in _ahead(pool, model, paths, batches):
            if not len(rows):  # all was done before
                break
            _write(scored, model, rows, images)
            done += len(rows)
            if told:
                told(done, len(left))
    scored.scores.flush()  # type: ignore[attr-defined]  # a memmap
    state.wait_for_everyone()
    return scored


def _ahead(
    pool: ThreadPoolExecutor, model: Classifier, paths: Sequence[Path], batches: Sequence[np.ndarray]
) -> Iterator[tuple[np.ndarray, list[Tensor | None]]]:
    """Batches of rows with their images: while one is scored, the next is being read."""

    def read(rows: np.ndarray) -> list[Future[Tensor | None]]:
        return [pool.submit(_image, model, paths[row]) for row in rows]

    coming = read(batches[0])
    for index, rows in enumerate(batches):
        here, coming = coming, read(batches[index + 1]) if index + 1 < len(batches) else []
        yield rows, [future.result() for future in here]


def _image(model: Classifier, path: Path) -> Tensor | None:
    """What the network sees of a file (1, S, S); None if it cannot be read."""
    try:
        return model.spec.preprocessing(read_image(path).pixels)
    except InputError:
        return None


def _write(scored: Scored, model: Classifier, rows: np.ndarray, images: Sequence[Tensor | None]) -> None:
    good = [row for row, image in zip(rows, images, strict=True) if image is not None]
    scored.scores[[row for row, image in zip(rows, images, strict=True) if image is None]] = _UNREADABLE
    if good:
        device = next(model.parameters()).device
        with torch.no_grad():
            logits = model(torch.stack([image for image in images if image is not None]).to(device))
        scored.scores[good] = logits.float().sigmoid().cpu().numpy()


def _key(model: Classifier, paths: Sequence[Path]) -> str:
    digest = hashlib.sha256(f"{model.revision}\0{model.spec.as_dict()}\n".encode())
    for path in paths:
        digest.update(f"{path}\n".encode())
    return digest.hexdigest()[:24]


def _opened(store: Path, count: int, labels: int) -> np.ndarray:
    """The scores' file, made with NaN where there is none."""
    if not store.is_file():
        store.parent.mkdir(parents=True, exist_ok=True)
        draft = store.with_suffix(".part")
        empty = np.lib.format.open_memmap(draft, mode="w+", dtype=np.float32, shape=(count, labels))
        empty[:] = np.nan
        empty.flush()
        draft.replace(store)
    return np.lib.format.open_memmap(store, mode="r+")
