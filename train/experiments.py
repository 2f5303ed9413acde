"""Compare policies for uncertain labels and methods against imbalance on the phantom.

    nice python -m train.experiments policies     # or imbalance; resumes if interrupted
    python -m train.experiments report            # writes docs/experiments.md from the finished arms

One small network, small images, a fixed number of epochs, several seeds: enough to compare training methods,
not to train a good model. The data is the phantom of the shipped models' recipes, frontal images.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch

from cxrbench.errors import InputError
from cxrbench.labels import CHEXPERT, COMPETITION
from cxrbench.metrics import statistics
from cxrbench.metrics.intervals import Statistic, resamples
from cxrbench.targets import imbalance
from cxrbench.writing import write_text
from train.arms import ARMS, EPOCHS, SIZE, Arm, ExperimentData, run, scores_file

RESAMPLES: Final = 500
# Experiment → the arm that the others are compared with.
AGAINST: Final = {"policies": "ignore", "imbalance": "truth"}
PAGE: Final = Path("docs") / "experiments.md"


@dataclass(frozen=True)
class Figure:
    """A number and its resamples (R,), of the mean over seeds."""

    estimate: float
    replicates: np.ndarray

    def minus(self, other: "Figure") -> "Figure":
        """The paired difference: the same patients and seeds in both."""
        return Figure(self.estimate - other.estimate, self.replicates - other.replicates)

    @property
    def ends(self) -> tuple[float, float]:
        """The 95 % interval."""
        low, high = np.nanquantile(self.replicates, [0.025, 0.975])
        return float(low), float(high)

    @property
    def sign(self) -> int:
        """Sign of the estimate if the interval excludes 0, else 0."""
        low, high = self.ends
        return int(low > 0) - int(high < 0)


def main() -> None:
    """Run an experiment, or write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=(*AGAINST, "report"))
    parser.add_argument("--root", type=Path, default=Path("runs/phantom_models"), help="a phantom")
    parser.add_argument("--out", type=Path, default=Path("runs/experiments"))
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    bench = ExperimentData(arguments.root, arguments.out)
    try:
        if arguments.what == "report":
            write_text(PAGE, page(bench, arguments.seeds))
        for seed in range(arguments.seeds):
            for arm in arms_of(arguments.what):
                run(bench, arm, seed)
    except InputError as error:
        sys.exit(f"error: {error}")


def arms_of(experiment: str) -> list[Arm]:
    """The arms of an experiment, the reference arm first."""
    arms = [
        arm for arm in ARMS.values() if arm.experiment == experiment or arm.name == AGAINST.get(experiment)
    ]
    return sorted(arms, key=lambda arm: arm.name != AGAINST.get(experiment)) if experiment in AGAINST else []


def page(bench: ExperimentData, seeds: int) -> str:
    """Text of docs/experiments.md."""
    done = [s for s in range(seeds) if all(scores_file(bench, name, s).exists() for name in ARMS)]
    if not done:
        raise InputError("No seed has run through all arms yet; run policies and imbalance first.")
    truth = bench.targets("truth")
    ratios = imbalance.irlbl(truth)
    rare = np.flatnonzero(ratios > imbalance.mean_ir(truth))
    named = ", ".join(f"{CHEXPERT[i]} ({int(imbalance.positives(truth)[:, i].sum())})" for i in rare)
    lines = [json.loads(line) for line in (bench.out / "runs.jsonl").read_text(encoding="utf8").splitlines()]
    about = {
        "train": len(truth),
        "test": len(bench.targets("test")),
        "patients": bench.tables["test"]["patient"].nunique(),
        "seeds": len(done),
        "size": SIZE,
        "epochs": EPOCHS,
        "rare": named,
        "mean_ir": f"{imbalance.mean_ir(truth):.1f}",
        "scumble": f"{imbalance.scumble(truth)[1]:.2f}",
        "guess": f"{np.nanmean(bench.targets('test')[:, rare] == 1):.3f}",
        "uncertain": f"{(bench.targets('train') == -1).mean():.0%}",
        "minutes": f"{sum(line['core_seconds'] for line in lines) / 60:.0f}",
    }
    figures = {name: measure(bench, name, done, rare) for name in ARMS}
    parts = {experiment: section(experiment, figures) for experiment in AGAINST}
    return TEMPLATE.format(**about, **parts, findings=by_finding(figures))


def measure(bench: ExperimentData, name: str, seeds: Sequence[int], rare: np.ndarray) -> dict[str, Figure]:
    """Metrics of an arm: AUROC of all findings, each competition finding, and AUROC and AP of rare ones."""
    known = bench.targets("test")
    scores = [np.load(scores_file(bench, name, seed)) for seed in seeds]
    patients = bench.tables["test"]["patient"].to_numpy()
    metrics: dict[str, tuple[Callable[[np.ndarray, np.ndarray], Statistic], np.ndarray]] = {
        "all": (statistics.auroc, np.arange(len(CHEXPERT))),
        "rare": (statistics.auroc, rare),
        "rare AP": (statistics.average_precision, rare),
        **{f: (statistics.auroc, np.array([CHEXPERT.index(f)])) for f in COMPETITION},
    }
    return {
        key: figure([kind(known[:, of], each[:, of]) for each in scores], patients)
        for key, (kind, of) in metrics.items()
    }


def figure(of_seeds: Sequence[Statistic], patients: np.ndarray) -> Figure:
    """The mean over findings and seeds; the same patients and seeds are resampled for every arm."""
    count = len(of_seeds)
    random, parts = np.random.default_rng(0), []
    for weights in resamples(patients, RESAMPLES):
        values = np.stack([np.nanmean(each(weights), axis=1) for each in of_seeds])  # (S, R)
        drawn = random.integers(count, size=values.shape)
        parts.append(np.take_along_axis(values, drawn, axis=0).mean(0))
    plain = np.ones((len(patients), 1), np.float32)
    return Figure(float(np.mean([np.nanmean(each(plain)) for each in of_seeds])), np.concatenate(parts))


def section(experiment: str, figures: dict[str, dict[str, Figure]]) -> str:
    """The table of an experiment, and which differences are significant."""
    keys, base = ("all", "rare", "rare AP"), figures[AGAINST[experiment]]
    rows = ["| | AUROC, all | difference | AUROC, rare | difference | AP, rare | difference |"]
    rows.append("|---|---|---|---|---|---|---|")
    told: dict[str, dict[int, list[str]]] = {key: {1: [], -1: [], 0: []} for key in keys}
    for arm in arms_of(experiment):
        cells = []
        for key in keys:
            gap = figures[arm.name][key].minus(base[key])
            same = arm.name == AGAINST[experiment]
            cells += [f"{figures[arm.name][key].estimate:.3f}", "" if same else shown(gap)]
            if not same:
                told[key][gap.sign].append(arm.title)
        rows.append(f"| {arm.title} | {' | '.join(cells)} |")
    titles = {"all": "AUROC of all findings", "rare": "AUROC of the rare", "rare AP": "AP of the rare"}
    base_title = ARMS[AGAINST[experiment]].title
    for key in keys:
        better, worse, alike = ("; ".join(told[key][sign]) or "none" for sign in (1, -1, 0))
        summary = f"Better: {better}. Worse: {worse}. No significant difference: {alike}."
        rows.append(f"\n**{titles[key]}**, against {base_title}. {summary}")
    return "\n".join(rows)


def by_finding(figures: dict[str, dict[str, Figure]]) -> str:
    """Policies × competition findings, as in Irvin's table; bold if it differs from U-Ignore."""
    rows = ["| AUROC | " + " | ".join(COMPETITION) + " |", "|---" * (len(COMPETITION) + 1) + "|"]
    for arm in arms_of("policies"):
        cells = []
        for finding in COMPETITION:
            own = figures[arm.name][finding]
            sure = own.minus(figures[AGAINST["policies"]][finding]).sign
            cells.append(f"**{own.estimate:.3f}**" if sure else f"{own.estimate:.3f}")
        rows.append(f"| {arm.title} | {' | '.join(cells)} |")
    return "\n".join(rows)


def shown(gap: Figure) -> str:
    """A difference with its interval; bold if the interval excludes 0."""
    low, high = gap.ends
    text = f"{gap.estimate:+.3f} ({low:+.3f} to {high:+.3f})"
    return f"**{text}**" if gap.sign else text


TEMPLATE: Final = """# Uncertain labels and imbalance

Policies for uncertain labels and treatments of imbalance, compared where the truth is known: on the digital
chest phantom. Written by `python -m train.experiments report` after `python -m train.experiments
policies` and `imbalance` ({minutes} core-minutes for all runs); a run that was
stopped resumes.

**Scope.** One plain network of seven convolutions, {size}² pixels, {epochs} passes,
{train} training images; {test} test images of {patients} patients with certain labels. Differences
are between ways to train the same network on the same images; seeds run: {seeds}. Intervals (95 %)
resample patients and seeds, paired between arms; there is no correction for the number of
comparisons, so one in twenty is significant by chance. The network is small and trained briefly: results
need not hold for a large one, and the phantom's uncertain labels follow its own
labeller (about {uncertain} of all entries), not a hospital's reports.

## Uncertain labels

The phantom's labeller states 1, 0, −1 or nothing, as CheXpert's does; nothing counts as absent. Each
policy (see `cxrbench.targets.POLICIES`) is trained on that; the second row is trained on the
certain truth instead, which no policy sees. U-SelfTrained's guesses come from the U-Ignore run of
the same seed. Conditional training closes the hierarchy first, learns children given their parent,
half of the passes on images with a positive parent and half on all, and multiplies scores down the
tree. Bold: the interval excludes 0.

{policies}

By competition finding, as in Irvin et al. 2019, table 3; bold where it differs from U-Ignore:

{findings}

## Imbalance

Trained on the certain truth, so that imbalance is the only difficulty. MeanIR is {mean_ir}, SCUMBLE
{scumble}; rare are the findings with IRLbl above MeanIR (training images that show them): {rare}.
Losses take their papers' values. The last two rows keep the network of the first row and train its
last layer again, on frozen features. An
epoch of ML-ROS is up to a quarter longer and one of ML-RUS a quarter shorter, so part of their
effect is more or less training. Scores at random would reach an AP of {guess}.

{imbalance}

AUROC depends on the order of studies only, and weights that shift all scores of a finding cannot
change it. AP weighs the top of the list, which decides for the few studies of a rare finding.
Thresholds and calibration are affected: weighted and resampled training raises scores, which are then
not probabilities.
"""


if __name__ == "__main__":
    main()
