"""Compute the values and pictures of the shipped lessons, and store them beside their files.

    python -m train.lessons            # after a change of a lesson or of a shipped model
    python -m train.lessons --check    # compute again, and compare with what is stored

Takes minutes on one core: every film, score and map is computed by the shipped models. Afterwards
``python -m train.lesson_answers`` writes the new answers into the documentation.
"""

import argparse
import math

import torch

from cxrbench import assets
from cxrbench.teaching.lessons import Computed, Lesson, read_computed, read_lesson, unit_of, write_computed
from cxrbench.teaching.lessons.bench import Bench
from cxrbench.teaching.lessons.computing import compute
from cxrbench.teaching.lessons.quantities import UNITS
from cxrbench.teaching.lessons.stored import computed_file

__all__ = ["differences", "main"]


def main() -> None:
    """Compute all lessons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a value differs")
    parser.add_argument("--only", nargs="+", metavar="ID", help="these lessons")
    options = parser.parse_args()
    torch.set_num_threads(1)
    bench, problems, size = Bench(), 0, 0
    for file in sorted(assets.lessons().glob("*.toml")):
        if options.only and file.stem not in options.only:
            continue
        lesson = read_lesson(file)
        computed = compute(lesson, bench)
        if options.check:
            found = differences(lesson, read_computed(lesson), computed)
            problems += len(found)
            print("\n".join([f"{lesson.id}: {len(found)} values differ", *found]))
        else:
            write_computed(lesson, computed)
            size += computed_file(lesson).stat().st_size
            print(f"{lesson.id}: {computed_file(lesson).stat().st_size / 1024:.0f} KiB", flush=True)
    if not options.check:
        print(f"{size / 2**20:.2f} MiB")
    raise SystemExit(int(problems > 0))


def differences(lesson: Lesson, stored: Computed, computed: Computed) -> list[str]:
    """One line per value that differs by more than what no answer may hang on (``UNITS``)."""
    lines = []
    for number, (step, before, after) in enumerate(
        zip(lesson.steps, stored.values, computed.values, strict=True), 1
    ):
        for name, value in after.items():
            least = UNITS[unit_of(step, name)].least
            same = math.isnan(value) and math.isnan(before[name])
            if not same and not abs(value - before[name]) < least:
                lines.append(f"  step {number}, {name}: {before[name]:g} is stored, {value:g} was computed")
    return lines


if __name__ == "__main__":
    main()
