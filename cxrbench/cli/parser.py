"""The words of the command line, and how a command ends.

A command's module is imported when it is called: ``--help`` need not wait for torch.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeAlias

from cxrbench import __version__
from cxrbench.errors import InputError

__all__ = ["main"]

_ABOUT = "A chest X-ray explainability workbench. For teaching and research, never for diagnosis."
_EXITS = (
    "Exit codes: 0 done; 1 some files could not be used, they are named; "
    "2 nothing done, a sentence says why; 130 interrupted."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    try:
        return _run(arguments)
    except BrokenPipeError:
        # Whoever read our output has closed it; Python must not complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _run(arguments: Sequence[str] | None) -> int:
    try:
        options = _parser().parse_args(arguments)
        code: int = import_module(f"cxrbench.cli.{options.module}").run(options)
        return code
    except InputError as error:
        print(f"cxrbench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ncxrbench: interrupted", file=sys.stderr)
        return 130
    finally:
        sys.stdout.flush()  # a pipe that was closed is noticed here, not at exit where nobody can catch it


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cxrbench", description=_ABOUT, epilog=_EXITS)
    parser.add_argument("--version", action="version", version=f"cxrbench {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (
        _add_explain,
        _add_predict,
        _add_evaluate,
        _add_train,
        _add_check,
        _add_phantom,
        _add_lists,
        _add_app,
    ):
        add(commands)
    return parser


_Commands: TypeAlias = (
    "argparse._SubParsersAction[argparse.ArgumentParser]"  # argparse names this type nowhere else
)
_MODEL_NAMES = (
    "a name from 'cxrbench models', a saved model's folder, OWNER/NAME@COMMIT on the Hugging Face Hub, "
    "or torchxrayvision/WEIGHTS"
)
_MODEL_HELP = f"{_MODEL_NAMES}; default: the first available"


# Both --finding Edema Fracture and --finding Edema --finding Fracture.
_MANY: Final[dict[str, Any]] = {"nargs": "+", "action": "extend"}


def _add_explain(commands: _Commands) -> None:
    about = "heat maps of one radiograph: one PNG per finding, and a bundle (ZIP of JSON, NPZ, PNG) to reopen"
    command = commands.add_parser("explain", help=about, description=_sentence(about))
    command.add_argument("image", type=Path, help="PNG, JPEG, TIFF or DICOM")
    command.add_argument("--model", **_MANY, metavar="M", help=f"one or more: {_MODEL_HELP}")
    command.add_argument(
        *("--finding", "--findings"),
        **_MANY,
        metavar="F",
        help="one or more; default: those above their threshold, or the likeliest",
    )
    command.add_argument(
        "--method",
        **_MANY,
        metavar="METHOD",
        help="one or more: a name from 'cxrbench methods'; "
        "default: grad_cam, grad_cam_plus_plus, integrated_gradients",
    )
    command.add_argument(
        "--stage", type=int, default=0, metavar="N", help="feature map CAMs read, from the last (0)"
    )
    command.add_argument("--baseline", default="black", help="of integrated gradients: black, mean or blur")
    command.add_argument("--steps", type=int, default=50, metavar="N", help="of integrated gradients")
    command.add_argument(
        "--scale",
        default="map",
        choices=("map", "method", "all"),
        help="of the colours",
    )
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="made where absent")
    command.add_argument("--force", action="store_true", help="replace files of the same names in DIR")
    command.set_defaults(module="explain")


def _add_predict(commands: _Commands) -> None:
    about = "scores of radiographs, with the model's thresholds"
    command = commands.add_parser("predict", help=about, description=_sentence(about))
    command.add_argument(
        "images",
        nargs="+",
        type=Path,
        metavar="IMAGE",
        help="images, or a CheXpert table (.csv, .json) that lists them",
    )
    command.add_argument("--model", metavar="M", help=_MODEL_HELP)
    command.add_argument("--root", type=Path, metavar="DIR", help="where the images of a CSV lie")
    command.add_argument("--csv", type=Path, metavar="FILE", help="write all scores there, one row per image")
    command.add_argument("--force", action="store_true", help="replace FILE if there is one")
    command.set_defaults(module="predict")


def _add_evaluate(commands: _Commands) -> None:
    about = "figures with intervals of models on a data set, and of their ensembles"
    command = commands.add_parser(
        "evaluate",
        help=about,
        description=_sentence(about) + " Stopped, it goes on where it was. Under 'accelerate launch -m "
        "cxrbench.cli evaluate …' it runs on every device.",
    )
    command.add_argument("models", nargs="+", metavar="MODEL", help=f"one or more: {_MODEL_NAMES}")
    command.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="a data set in CheXpert's form"
    )
    command.add_argument(
        "--table", default="test.csv", metavar="CSV", help="in DIR: which images to judge by"
    )
    command.add_argument(
        "--valid", metavar="CSV", help="in DIR: images that choose thresholds; default valid.csv, if there"
    )
    command.add_argument(
        "--out", type=Path, default=Path("evaluation"), metavar="DIR", help="made where absent"
    )
    command.add_argument(
        "--view",
        default="frontal",
        choices=("frontal", "lateral", "all"),
        help="which images (default frontal)",
    )
    command.add_argument("--rule", default="youden", metavar="RULE", help="that chooses thresholds")
    command.add_argument("--batch", type=int, default=16, metavar="N", help="images per pass (default 16)")
    command.add_argument("--resamples", type=int, default=1000, metavar="N", help="of the bootstrap")
    command.add_argument(
        "--force", action="store_true", help="replace files in DIR that an evaluation did not write"
    )
    command.set_defaults(module="evaluate")


def _add_check(commands: _Commands) -> None:
    about = "read every image that a CheXpert CSV lists, and name those that cannot be used"
    command = commands.add_parser("check", help=about, description=_sentence(about))
    command.add_argument("table", type=Path, metavar="CSV")
    command.add_argument("--root", type=Path, metavar="DIR", help="where its images lie")
    command.set_defaults(module="check")


def _add_phantom(commands: _Commands) -> None:
    about = "write a data set of simulated chests in CheXpert's format, with masks"
    command = commands.add_parser("phantom", help=about, description=_sentence(about))
    command.add_argument("--out", type=Path, required=True, metavar="DIR")
    command.add_argument("--patients", type=int, required=True, metavar="N")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--size", type=int, default=320, metavar="PIXELS", help="a side (default 320)")
    command.add_argument("--workers", type=int, metavar="N", help="processes; default: one per core")
    command.add_argument(
        "--shortcut",
        action="append",
        metavar="KIND:FINDING:RATE[:OTHERWISE]",
        help="plant what betrays a finding: KIND is hospital, electrode, letter or tint; RATE is how often "
        "it is there with the finding, OTHERWISE how often without (default 0.02); once for each kind",
    )
    command.add_argument(
        "--force",
        action="store_true",
        help="replace phantoms of other settings, tables that were changed, and other files of their names",
    )
    command.set_defaults(module="phantom")


def _add_train(commands: _Commands) -> None:
    about = "train a model by a recipe; a run that was stopped goes on where it was"
    command = commands.add_parser("train", help=about, description=_sentence(about))
    command.add_argument("--config", type=Path, required=True, metavar="TOML", help="the recipe")
    command.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder of the run; default: NAME in the folder that CXRBENCH_RUNS names, or else in runs",
    )
    command.add_argument(
        "--force",
        action="store_true",
        help="begin anew where DIR holds a run of another recipe, or train beside files of something else",
    )
    command.set_defaults(module="train")


def _add_lists(commands: _Commands) -> None:
    about = "list the models that can be named, or fetch another from the Hugging Face Hub"
    command = commands.add_parser("models", help=about, description=_sentence(about))
    command.add_argument(
        "--fetch",
        metavar="OWNER/NAME[@COMMIT]",
        help="download this repository's model into your folder of models: CXRBENCH_MODELS, or else "
        ".cxrbench/models at home",
    )
    command.set_defaults(module="models")
    about = "list the methods of explanation"
    command = commands.add_parser("methods", help=about, description=_sentence(about))
    command.set_defaults(module="methods")


def _add_app(commands: _Commands) -> None:
    about = "open the workbench in the browser"
    command = commands.add_parser("app", help=about, description=_sentence(about))
    command.add_argument(
        "options", nargs="*", metavar="-- OPTION", help="of Streamlit, such as -- --server.port 8600"
    )
    command.set_defaults(module="app")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
