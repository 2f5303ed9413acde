"""Damaged files of every supported type: each must be read or refused with one sentence.

    .venv/bin/python -m benchmarks.fuzz --files 2400 --seed 0

Valid files of every type are generated, then damaged: bits flipped, truncated, spliced with another file,
numbers of the header set to extremes, parts inserted, repeated or deleted. Each is read in a child process,
so that a crash of a decoder is noticed. Exits with 1 if anything but `InputError` is raised, if a file takes
more than 2 s, or if memory grows by more than 1,500 MB beyond that of the valid files.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO

import numpy as np

from benchmarks.damage import damaged
from benchmarks.whole_files import WHOLE
from cxrbench.compare import bundle
from cxrbench.data import Radiograph, read_chexpert, read_image, read_nih, read_nih_boxes
from cxrbench.data.published import read_padchest
from cxrbench.errors import InputError
from cxrbench.evaluation import read_predictions

__all__ = ["READERS", "Outcome", "outcome"]

SECONDS = 2.0
MEGABYTES = 1500.0


def _read_film(data: bytes) -> None:
    film = read_image(data, name="film")
    _check_film(film)


def _check_film(film: Radiograph) -> None:
    low, high = float(film.pixels.min()), float(film.pixels.max())
    if film.pixels.shape != film.size or film.pixels.dtype != np.float32 or not 0 <= low <= high <= 1:
        raise AssertionError(f"a film of {film.pixels.dtype} {film.size} from {low} to {high}")


# Type of file → its reader.
READERS: dict[str, Callable[[bytes], object]] = {
    "PNG": _read_film,
    "JPEG": _read_film,
    "TIFF": _read_film,
    "DICOM": _read_film,
    "CheXpert": lambda data: read_chexpert(BytesIO(data)),
    "NIH": lambda data: read_nih(BytesIO(data)),
    "NIH boxes": lambda data: read_nih_boxes(BytesIO(data)),
    "PadChest": lambda data: read_padchest(BytesIO(data)),
    "predictions": lambda data: read_predictions(data, "predictions"),
    "bundle": lambda data: bundle.load(data),
}


@dataclass(frozen=True)
class Outcome:
    """The result of reading one damaged file.

    Args:
        kind: a key of `READERS`.
        number: number of the file; with the seed it determines the file.
        what: "read", "refused", or the fault: name and text of an exception, or "crashed".
        seconds: wall clock or processor time of the reader, the shorter, because the machine may be busy.
        megabytes: peak memory of the process so far.
    """

    kind: str
    number: int
    what: str
    seconds: float
    megabytes: float

    @property
    def fault(self) -> bool:
        """Whether the reader failed or was too slow."""
        return self.what not in ("read", "refused") or self.seconds > SECONDS


def outcome(kind: str, number: int, seed: int = 0) -> Outcome:
    """Read one damaged file in this process."""
    data = damaged(kind, number, seed)
    wall, processor = time.perf_counter(), time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # decoders warn before they fail
        try:
            READERS[kind](data)
            what = "read"
        except InputError as error:
            text = str(error)
            what = "refused" if text and "\n" not in text else f"no single sentence: {text[:200]!r}"
        except Exception as error:  # any other exception is a fault
            what = f"{type(error).__name__}: {str(error)[:200]}"
    seconds = min(time.perf_counter() - wall, time.process_time() - processor)
    return Outcome(kind, number, what, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _child(kind: str, numbers: range, seed: int) -> None:
    """Print the memory that valid files need, then the outcome of each damaged file."""
    for whole in WHOLE[kind]():
        READERS[kind](whole)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
    for number in numbers:
        print(json.dumps(outcome(kind, number, seed).__dict__), flush=True)


def _outcomes(kind: str, count: int, seed: int) -> Iterator[Outcome]:
    """The outcome of every file; a child that crashes is replaced by another, from the next file on."""
    number = 0
    while number < count:
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.fuzz", "--child", kind]
        command += ["--files", str(count), "--from", str(number), "--seed", str(seed)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        whole = float(child.stdout.readline())
        for line in child.stdout:
            result = Outcome(**json.loads(line))
            number = result.number + 1
            yield Outcome(kind, result.number, result.what, result.seconds, result.megabytes - whole)
        if child.wait() or number < count:
            yield Outcome(kind, number, f"crashed with {child.returncode}", 0.0, 0.0)
            number += 1


def main() -> int:
    """Run every type, print a table, and each fault with the number that reproduces its file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--files", type=int, default=2400, help="number of damaged files, in total or of one type"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=READERS, help="only this type")
    parser.add_argument("--child", choices=READERS, help=argparse.SUPPRESS)
    parser.add_argument("--from", type=int, default=0, dest="first", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child(options.child, range(options.first, options.files), options.seed)
        return 0
    kinds = [options.kind] if options.kind else list(READERS)
    count = options.files if options.kind else -(-options.files // len(kinds))
    print(f"{'kind':<12} {'files':>6} {'read':>6} {'refused':>8} {'faults':>7} {'slowest':>9} {'memory':>9}")
    faults: list[Outcome] = []
    for kind in kinds:
        results = list(_outcomes(kind, count, options.seed))
        slowest, most = max(result.seconds for result in results), max(result.megabytes for result in results)
        bad = [result for result in results if result.fault or result.megabytes > MEGABYTES]
        faults += bad
        read, refused = (sum(result.what == what for result in results) for what in ("read", "refused"))
        counts = f"{kind:<12} {len(results):>6} {read:>6} {refused:>8} {len(bad):>7}"
        print(f"{counts} {slowest:>7.2f} s {most:>6.0f} MB", flush=True)
    for fault in faults:
        cost = f"{fault.seconds:.2f} s, {fault.megabytes:.0f} MB"
        print(f"{fault.kind} {fault.number} (seed {options.seed}): {fault.what}, {cost}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
