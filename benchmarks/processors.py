"""Differences of scores and maps between instruction sets and thread counts.

    python -m benchmarks.processors [--models vit_tiny densenet121] [--cases 2]

Environment variables make kernels use other instruction sets, as another processor would. Each setting runs
in a process of its own, because PyTorch selects its kernels when it starts.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import numpy as np

from cxrbench.compare import gallery, heatmap, peak

# The others are compared with the first.
SETTINGS: Final[dict[str, dict[str, str]]] = {
    "1 thread": {"OMP_NUM_THREADS": "1"},
    "2 threads": {"OMP_NUM_THREADS": "2"},
    "ATen without vectors": {"OMP_NUM_THREADS": "1", "ATEN_CPU_CAPABILITY": "default"},
    "oneDNN and MKL at SSE": {
        "OMP_NUM_THREADS": "1",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    },
}


def main() -> None:
    """Compute with every setting, and print the largest differences from the first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["vit_tiny", "efficientnet_b0"])
    parser.add_argument("--cases", type=int, default=2)
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        compute(options.models, options.cases, options.worker)
        return
    with tempfile.TemporaryDirectory() as folder:
        results = {}
        for index, (title, variables) in enumerate(SETTINGS.items()):
            out = Path(folder) / f"{index}.npz"
            command = [sys.executable, "-m", "benchmarks.processors", "--worker", str(out)]
            command += ["--cases", str(options.cases), "--models", *options.models]
            subprocess.run(command, env={**os.environ, **variables}, check=True)
            with np.load(out) as arrays:
                results[title] = dict(arrays)
        print(table(results))


def compute(names: list[str], cases: int, out: Path) -> None:
    """Write scores and displayed CAMs of the first cases to one NPZ file; unstable maps are marked."""
    from cxrbench import assets
    from cxrbench.compare.run import collect, compare
    from cxrbench.explain import METHODS
    from cxrbench.models import hub

    methods = tuple(name for name in METHODS if METHODS[name].shares_passes)
    arrays = {}
    for name in names:
        model = hub.load(assets.models() / name)
        for case in gallery.cases()[:cases]:
            stored = gallery.load(case.id, models=[name], methods=methods)
            events = compare(stored.image, stored.settings, models={name: model})
            computed = collect(events, image=stored.image, settings=stored.settings)
            arrays[f"{name}|scores|{case.id}"] = computed.predictions[name].scores
            for (_, method), heat in computed.heat_maps.items():
                for index, label in enumerate(heat.labels):
                    state = "stable" if stored.heat_maps[name, method].stable[index] else "unstable"
                    displayed = heatmap(heat.maps[index], peak(heat, label), signed=False)
                    arrays[f"{name}|{method}, {state}|{case.id}|{label}"] = displayed
    np.savez(out, allow_pickle=False, **arrays)


def table(results: dict[str, dict[str, np.ndarray]]) -> str:
    """A Markdown table: one row per model and kind of value, one column per setting."""
    first, *others = results
    rows: dict[tuple[str, ...], dict[str, float]] = {}
    for key, value in results[first].items():
        row = rows.setdefault(tuple(key.split("|")[:2]), dict.fromkeys(others, 0.0))
        for other in others:
            row[other] = max(row[other], float(np.abs(results[other][key] - value).max()))
    lines = [f"| model | value | {' | '.join(others)} |", "|---|---|" + "---|" * len(others)]
    for (model, what), row in rows.items():
        lines.append(f"| {model} | {what} | {' | '.join(f'{row[other]:.0e}' for other in others)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
