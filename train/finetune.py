"""Train a classifier by a recipe, and save it with what it scores on the test studies.

    python -m train.finetune train/configs/smoke.toml
    OMP_NUM_THREADS=1 torchrun --nproc_per_node 4 -m train.finetune train/configs/phantom_efficientnet_b0.toml
    accelerate launch -m train.finetune train/configs/smoke.toml

A run that was stopped resumes when the same command is given again. On CPU, accelerate starts one process
whatever number is asked for; torchrun starts that number. The steps, in order, are in
``cxrbench/workflows/train.py``; ``cxrbench train --config FILE`` does the same without this folder.
"""

import argparse
import sys
from pathlib import Path

from cxrbench.errors import InputError
from cxrbench.training import TrainConfig


def main() -> None:
    """Train by the recipe that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("config", type=Path, help="a recipe in TOML")
    parser.add_argument("--out", type=Path, help="folder of the run; default runs/NAME")
    parser.add_argument(
        "--force", action="store_true", help="begin anew where --out holds another recipe's run"
    )
    arguments = parser.parse_args()
    try:
        config = TrainConfig.read(arguments.config)
        # Not above: a mistake in the recipe is reported at once, without waiting for torch.
        from cxrbench.workflows.train import run

        run(config, arguments.out, force=arguments.force)
    except InputError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
