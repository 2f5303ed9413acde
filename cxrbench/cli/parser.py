"""The argument parser, and the exit codes of commands.

A command's module is imported when the command runs, so that ``--help`` does not wait for torch.
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
    "Exit codes: 0 success; 1 some files could not be used, or some maps differ (verify): they are listed; "
    "2 error, nothing was done; 130 interrupted."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    try:
        return _run(arguments)
    except BrokenPipeError:
        # The reader closed the pipe; prevent a second error when Python flushes stdout at exit.
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
        sys.stdout.flush()  # a closed pipe raises here, where it can be caught, and not at exit


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
        _add_own_data,
        _add_phantom,
        _add_lists,
        _add_verify,
        _add_judge,
        _add_lesson,
        _add_app,
    ):
        add(commands)
    return parser


_Commands: TypeAlias = (
    "argparse._SubParsersAction[argparse.ArgumentParser]"  # argparse exports no public name
)
_MODEL_NAMES = (
    "a name from 'cxrbench models', a saved model's folder, OWNER/NAME@COMMIT on the Hugging Face Hub, "
    "or torchxrayvision/WEIGHTS"
)
_MODEL_HELP = f"{_MODEL_NAMES}; default: the first available"


_FORM_HELP: Final = (
    "which data set the folder holds, where its files fit several: chexpert, chexpert_plus, nih, vindr, "
    "rsna, siim, padchest or cxr_lt"
)

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
        help="one or more; default: those above their threshold, else the one with the highest score",
    )
    command.add_argument(
        "--method",
        **_MANY,
        metavar="METHOD",
        help="one or more: a name from 'cxrbench methods', perhaps with parameters: 'grad_cam(stage=1)'; "
        "default: grad_cam, grad_cam_plus_plus, integrated_gradients",
    )
    command.add_argument(
        "--set",
        **_MANY,
        metavar="METHOD.PARAMETER=VALUE",
        help="one or more parameters, such as rise.masks=2000; 'cxrbench methods' lists them",
    )
    command.add_argument(
        "--stage",
        type=int,
        default=0,
        metavar="N",
        help="feature map for CAM methods, counted from the last (0)",
    )
    command.add_argument(
        "--baseline",
        default="black",
        help="baseline of integrated gradients: black, mean or blur (default black)",
    )
    command.add_argument(
        "--steps", type=int, default=50, metavar="N", help="steps of integrated gradients (default 50)"
    )
    command.add_argument(
        "--scale",
        default="map",
        choices=("map", "method", "all"),
        help="heat map scale: per map, per method, or common to all (default map)",
    )
    command.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="output folder, created if missing"
    )
    command.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="also write one self-contained HTML file: panels, scores, methods, settings, versions",
    )
    command.add_argument(
        "--format", default="png", choices=("png", "svg"), help="of the pictures (default png)"
    )
    command.add_argument(
        "--dpi", type=int, default=120, metavar="N", help="dots per inch of PNG pictures (default 120)"
    )
    command.add_argument("--force", action="store_true", help="replace existing files of the same names")
    command.set_defaults(module="explain")


def _add_predict(commands: _Commands) -> None:
    about = "scores of radiographs, with the model's thresholds"
    command = commands.add_parser("predict", help=about, description=_sentence(about))
    command.add_argument(
        "images",
        nargs="*",
        type=Path,
        metavar="IMAGE",
        help="images, or a label table (.csv, .json) of any known data set that lists them",
    )
    _add_data(command)
    command.add_argument("--split", metavar="S", help="only these images of --data: train, valid, test …")
    command.add_argument("--model", metavar="M", help=_MODEL_HELP)
    command.add_argument("--root", type=Path, metavar="DIR", help="folder of the images that a table lists")
    command.add_argument(
        "--csv", type=Path, metavar="FILE", help="also write all scores to FILE, one row per image"
    )
    command.add_argument("--force", action="store_true", help="replace FILE if it exists")
    command.set_defaults(module="predict")


def _add_evaluate(commands: _Commands) -> None:
    about = "metrics with confidence intervals of models and their ensembles on a data set"
    command = commands.add_parser(
        "evaluate",
        help=about,
        description=_sentence(about) + " An interrupted evaluation resumes. 'accelerate launch -m "
        "cxrbench.cli evaluate …' runs it on all devices.",
    )
    command.add_argument("models", nargs="+", metavar="MODEL", help=f"one or more: {_MODEL_NAMES}")
    _add_data(command, required=True)
    command.add_argument(
        "--table",
        metavar="CSV",
        help="table in the folder of the images to evaluate on; default: the data set's test images, or else "
        "all, or else its validation images",
    )
    command.add_argument(
        "--valid",
        metavar="CSV",
        help="table in the folder of the images to fit thresholds on; default: the data set's validation "
        "images, if there are any",
    )
    command.add_argument(
        "--out",
        type=Path,
        default=Path("evaluation"),
        metavar="DIR",
        help="output folder, created if missing (default evaluation)",
    )
    command.add_argument(
        "--view",
        default="frontal",
        choices=("frontal", "lateral", "all"),
        help="which images (default frontal)",
    )
    command.add_argument(
        "--rule", default="youden", metavar="RULE", help="rule that fits thresholds (default youden)"
    )
    command.add_argument(
        "--batch", type=int, default=16, metavar="N", help="images per forward pass (default 16)"
    )
    command.add_argument(
        "--resamples", type=int, default=1000, metavar="N", help="bootstrap resamples (default 1000)"
    )
    command.add_argument(
        "--force", action="store_true", help="replace files in DIR that were not written by an evaluation"
    )
    command.set_defaults(module="evaluate")


def _add_check(commands: _Commands) -> None:
    about = "read every image of a label table or data set, and list those that cannot be used"
    command = commands.add_parser("check", help=about, description=_sentence(about))
    command.add_argument("table", type=Path, nargs="?", metavar="CSV", help="a table of any known data set")
    command.add_argument("--root", type=Path, metavar="DIR", help="folder of its images")
    _add_data(command)
    command.set_defaults(module="check")


def _add_data(command: argparse.ArgumentParser, *, required: bool = False) -> None:
    """Options that name a data set."""
    command.add_argument(
        "--data",
        required=required,
        metavar="NAME|DIR",
        help="a name from 'cxrbench data list', or the folder of a data set, which is recognised from its "
        "files",
    )
    command.add_argument("--form", metavar="SET", help=_FORM_HELP)


def _add_own_data(commands: _Commands) -> None:
    about = "your own data sets: add, list, check and remove them"
    command = commands.add_parser(
        "data",
        help=about,
        description=_sentence(about) + " What is remembered lies in the folder CXRBENCH_DATA, or else in "
        ".cxrbench/data at home; nothing is written into the folder of a data set.",
    )
    actions = command.add_subparsers(required=True, metavar="ACTION", dest="action")
    about = "recognise the data set in a folder, remember it, and read its images once"
    adding = actions.add_parser("add", help=about, description=_sentence(about))
    adding.add_argument("folder", type=Path, metavar="DIR", help="of the data set, with any name")
    adding.add_argument("--name", metavar="N", help="by which it is named; default: that of the data set")
    adding.add_argument("--form", metavar="SET", help=_FORM_HELP)
    about = "the data sets that were added: name, title, what was found, folder"
    actions.add_parser("list", help=about, description=_sentence(about))
    about = "report images that are missing, damaged or doubled, and patients in several splits"
    checking = actions.add_parser("check", help=about, description=_sentence(about))
    checking.add_argument("name", metavar="NAME")
    about = "forget a data set; its folder stays as it is"
    removing = actions.add_parser("remove", help=about, description=_sentence(about))
    removing.add_argument("name", metavar="NAME")
    command.set_defaults(module="data")


def _add_phantom(commands: _Commands) -> None:
    about = "write a data set of simulated radiographs in CheXpert's format, with masks"
    command = commands.add_parser("phantom", help=about, description=_sentence(about))
    command.add_argument("--out", type=Path, required=True, metavar="DIR")
    command.add_argument("--patients", type=int, required=True, metavar="N")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument(
        "--size", type=int, default=320, metavar="PIXELS", help="side of the images (default 320)"
    )
    command.add_argument("--workers", type=int, metavar="N", help="processes; default: one per core")
    command.add_argument(
        "--shortcut",
        action="append",
        metavar="KIND:FINDING:RATE[:OTHERWISE]",
        help="plant a marker that correlates with a finding: KIND is hospital, electrode, letter or tint; "
        "RATE is its share of images with the finding, OTHERWISE of the others (default 0.02); once per kind",
    )
    command.add_argument(
        "--twins",
        action="store_true",
        help="also write each test film without each of its findings, shortcuts and side marker, and say how "
        "far each change lies in its mask",
    )
    command.add_argument(
        "--force",
        action="store_true",
        help="replace phantoms with other settings, changed tables, and other files of the same names",
    )
    command.set_defaults(module="phantom")


def _add_train(commands: _Commands) -> None:
    about = "train a model with a recipe; a stopped run resumes"
    command = commands.add_parser("train", help=about, description=_sentence(about))
    command.add_argument("--config", type=Path, required=True, metavar="TOML", help="recipe")
    command.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder of the run; default: NAME in the folder CXRBENCH_RUNS, or in runs",
    )
    command.add_argument(
        "--force",
        action="store_true",
        help="train even if DIR holds a run of another recipe, which is restarted, or other files",
    )
    command.set_defaults(module="train")


def _add_lists(commands: _Commands) -> None:
    about = "list the available models; add and remove your own"
    command = commands.add_parser(
        "models",
        help=about,
        description=_sentence(about) + " Without an action, one line per model: name, title, findings, what "
        "it learned from, licence, size, source. Added models lie in the folder CXRBENCH_MODELS, or else in "
        ".cxrbench/models at home.",
    )
    actions = command.add_subparsers(metavar="ACTION", dest="action")
    about = "download and add a model; an interrupted download goes on where it stopped"
    adding = actions.add_parser("add", help=about, description=_sentence(about))
    adding.add_argument(
        "what",
        metavar="WHAT",
        help="a name from 'cxrbench models offered', the folder of a saved model, which is copied, or "
        "OWNER/NAME[@COMMIT] on the Hugging Face Hub",
    )
    about = "list the models that can be added by name: title, learned from, licence, size, source"
    actions.add_parser("offered", help=about, description=_sentence(about))
    about = "remove a model that was added"
    removing = actions.add_parser("remove", help=about, description=_sentence(about))
    removing.add_argument("name", metavar="NAME")
    command.set_defaults(module="models")
    about = "list the explanation methods"
    command = commands.add_parser("methods", help=about, description=_sentence(about))
    command.set_defaults(module="methods")


def _add_verify(commands: _Commands) -> None:
    about = "compare the maps of each method with those of captum and pytorch-grad-cam"
    command = commands.add_parser(
        "verify",
        help=about,
        description=_sentence(about) + " Shows the largest difference, relative to the map's largest "
        "magnitude, per model, method and library; exits with 1 if one exceeds its tolerance.",
    )
    command.add_argument(
        *("--model", "--models"),
        **_MANY,
        metavar="M",
        help=f"one or more: {_MODEL_NAMES}; default: the shipped ones",
    )
    command.add_argument(
        *("--method", "--methods"),
        **_MANY,
        metavar="METHOD",
        help="one or more names from 'cxrbench methods'; default: all that another library has",
    )
    command.add_argument(
        "--size",
        type=int,
        default=128,
        metavar="PIXELS",
        help="side of the simulated radiograph, a multiple of 32 (default 128, which is fast)",
    )
    command.add_argument("--json", type=Path, metavar="FILE", help="also write the table to FILE as JSON")
    command.add_argument("--force", action="store_true", help="replace FILE if it exists")
    command.set_defaults(module="verify")


def _add_judge(commands: _Commands) -> None:
    about = "judge explanation methods on phantoms, or on real films with published masks and boxes"
    command = commands.add_parser(
        "judge",
        help=about,
        description=_sentence(about) + " A run that was stopped goes on where it stopped; more films can be "
        "added to a finished one. 'torchrun --nproc_per_node N -m cxrbench.cli judge …' shares the films "
        "between N processes.",
    )
    command.add_argument(
        *("--model", "--models"),
        **_MANY,
        metavar="M",
        help=f"one or more: {_MODEL_NAMES}; default: the first available",
    )
    command.add_argument(
        *("--method", "--methods"),
        **_MANY,
        metavar="METHOD",
        help="one or more names from 'cxrbench methods', with parameters in parentheses; default: the usual "
        "ones and the controls",
    )
    command.add_argument(
        *("--criterion", "--criteria"),
        **_MANY,
        metavar="C",
        help="one or more names from docs/judging.md; default: those without further passes per map",
    )
    command.add_argument(
        "--films", type=int, metavar="N", help="number of films (default 100 phantoms, or all real films)"
    )
    command.add_argument(
        "--only", **_MANY, metavar="F", help="judge these findings, on films that have one of them"
    )
    command.add_argument(
        "--shortcut",
        default="",
        metavar="KIND",
        help="plant this marker on every film, for the criteria of shortcuts: one of "
        "'cxrbench phantom --help'; default: they judge the side marker",
    )
    command.add_argument(
        "--findings", type=int, default=3, metavar="N", help="least number of findings per film (default 3)"
    )
    command.add_argument("--seed", type=int, default=0, help="of the criteria's random numbers")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the results")
    command.add_argument("--force", action="store_true", help="replace results of other settings in DIR")
    _add_truth(command)
    command.set_defaults(module="judge")


def _add_truth(command: argparse.ArgumentParser) -> None:
    """Options of judging against the published annotations of real films."""
    group = command.add_argument_group("real films", "Without these, phantoms are judged.")
    group.add_argument(
        "--truth", metavar="NAME", help="whose annotations: chexlocalize, nih, vindr, rsna or siim"
    )
    group.add_argument(
        "--annotations",
        type=Path,
        metavar="FILE",
        help="the data set's file, of CheXlocalize its segmentations or polygons; default: the one that "
        "torchxrayvision contains",
    )
    group.add_argument(
        "--data",
        metavar="NAME|DIR",
        help="a name from 'cxrbench data list', or the folder of the images, to judge the maps of --model on",
    )
    files = {
        "--maps": ("DIR", "CheXlocalize's saliency pickles: …_FINDING_map.pkl; nothing in them is executed"),
        "--segmentations": (
            "FILE",
            "predicted segmentations, or readers' polygons (JSON), instead of --maps",
        ),
        "--points": ("FILE", "readers' most representative points (JSON)"),
        "--thresholds": ("FILE", "tuning_results.csv: cut maps there instead of at Otsu's threshold"),
        "--cutoffs": ("FILE", "probability_tuning_results.csv: segment nothing below these probabilities"),
        "--validation-maps": ("DIR", "saliency pickles of validation films, to choose thresholds on"),
        "--validation-truth": ("FILE", "the true segmentations of those"),
    }
    for option, (metavar, about) in files.items():
        group.add_argument(option, type=Path, metavar=metavar, help=about)
    group.add_argument(
        "--tune",
        **_MANY,
        choices=("thresholds", "cutoffs"),
        help="what is chosen on the validation films (default thresholds)",
    )
    group.add_argument(
        "--all-films",
        action="store_true",
        help="an IoU of 0 for missed and for false segmentations, which are left out otherwise",
    )


def _add_lesson(commands: _Commands) -> None:
    about = "check lessons and compute their answers, or write a template for a new lesson"
    command = commands.add_parser("lesson", help=about, description=_sentence(about))
    actions = command.add_subparsers(required=True, metavar="ACTION", dest="action")
    about = "check lessons: errors with their line, and the computed answers"
    check = actions.add_parser("check", help=about, description=_sentence(about))
    check.add_argument("files", nargs="*", type=Path, metavar="FILE", help="lessons (TOML)")
    check.add_argument(
        "--all", action="store_true", help="the shipped lessons, and those in the folder CXRBENCH_LESSONS"
    )
    check.add_argument(
        "--write",
        action="store_true",
        help="store values and pictures beside each lesson",
    )
    about = "write a template for a new lesson"
    new = actions.add_parser("new", help=about, description=_sentence(about))
    new.add_argument("file", type=Path, metavar="FILE", help="file to write, such as my-lesson.toml")
    command.set_defaults(module="lesson")


def _add_app(commands: _Commands) -> None:
    about = "open the workbench in the browser"
    command = commands.add_parser("app", help=about, description=_sentence(about))
    command.add_argument(
        "options", nargs="*", metavar="-- OPTION", help="of Streamlit, such as -- --server.port 8600"
    )
    command.set_defaults(module="app")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
