"""Train a classifier by a recipe, and save it with what it scores on the test studies.

    python -m train.finetune train/configs/smoke.toml
    OMP_NUM_THREADS=1 torchrun --nproc_per_node 4 -m train.finetune train/configs/phantom_efficientnet_b0.toml
    accelerate launch -m train.finetune train/configs/smoke.toml

A run that was stopped goes on where it was when the same command is given again. On CPU, accelerate starts
one process whatever it is asked for; torchrun starts as many as told. What happens, in order, is ``follow``
in ``cxrbench/cli/follow.py``; ``cxrbench train --config FILE`` is the same without this folder.
"""

import argparse
import sys
from pathlib import Path

from cxrbench.cli import train
from cxrbench.errors import InputError


def main() -> None:
    """Follow the recipe that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("config", type=Path, help="a recipe in TOML")
    parser.add_argument("--out", type=Path, help="folder of the run; default runs/NAME")
    parser.add_argument(
        "--force", action="store_true", help="begin anew where --out holds another recipe's run"
    )
    try:
        train.run(parser.parse_args())
    except InputError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
