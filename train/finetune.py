"""Train a classifier with a recipe, and save it with its evaluation on the test studies.

    python -m train.finetune train/configs/smoke.toml
    OMP_NUM_THREADS=1 torchrun --nproc_per_node 4 -m train.finetune train/configs/phantom_efficientnet_b0.toml
    accelerate launch -m train.finetune train/configs/smoke.toml

Run the same command again to resume a stopped run. On CPU, accelerate starts one process whatever number is
given; torchrun starts the given number. The steps are in ``cxrbench/workflows/train.py``; ``cxrbench train
--config FILE`` does the same without this folder.
"""

import argparse
import sys
from pathlib import Path

from cxrbench.errors import InputError
from cxrbench.training import TrainConfig


def main() -> None:
    """Train with the recipe given on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("config", type=Path, help="a recipe in TOML")
    parser.add_argument("--out", type=Path, help="folder of the run; default runs/NAME")
    parser.add_argument("--force", action="store_true", help="restart if --out holds a run of another recipe")
    arguments = parser.parse_args()
    try:
        config = TrainConfig.read(arguments.config)
        # Imported here: errors in the recipe are reported without waiting for torch.
        from cxrbench.workflows.train import run

        run(config, arguments.out, force=arguments.force)
    except InputError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
