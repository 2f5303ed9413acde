"""``cxrbench explain``: heat maps of one film as pictures with their settings, a bundle and a report."""

import argparse
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from cxrbench.cli.models import load
from cxrbench.cli.say import note
from cxrbench.compare import Comparison, HeatMaps, Settings, Surroundings, bundle, caption, notes
from cxrbench.compare.run import Event, collect, compare
from cxrbench.compare.saved_settings import SavedSettings, settings_json
from cxrbench.data import read_image
from cxrbench.errors import InputError
from cxrbench.explain import configured_method, with_values
from cxrbench.figures import panels, panels_png, panels_svg
from cxrbench.figures.comparison_report import comparison_report
from cxrbench.labels import finding_indices
from cxrbench.terminal import ProgressBar
from cxrbench.writing import check_targets, free_name, write_bytes, write_text

__all__ = ["run"]

_DPI = (30, 600)
_METHODS = ("grad_cam", "grad_cam_plus_plus", "integrated_gradients")


def run(options: argparse.Namespace) -> int:
    """Explain one radiograph, and write the heat maps."""
    if not _DPI[0] <= options.dpi <= _DPI[1]:
        raise InputError(f"--dpi must be from {_DPI[0]} to {_DPI[1]}; got {options.dpi}.")
    radiograph = read_image(options.image)
    note(f"{options.image.name}: {radiograph.note}" if radiograph.note else "")
    loaded = [load(source) for source in options.model or [None]]
    models = {model.spec.name: model for model in loaded}
    if len(models) < len(loaded):
        raise InputError("Each --model must have a different name; two of these have the same.")
    settings = Settings(
        models=tuple(models),
        methods=_methods(options.method or _METHODS, options.set or ()),
        stage=options.stage,
        baseline=options.baseline,
        steps=options.steps,
    )
    # Refuse unknown findings before anything is computed.
    known = dict.fromkeys(label for model in loaded for label in model.spec.labels if label)
    finding_indices(options.finding or (), list(known))
    events = compare(
        radiograph.pixels, settings, models=models, surroundings=Surroundings(name=options.image.name)
    )
    stem = re.sub(r"[^\w.-]+", "-", options.image.stem) or "radiograph"
    _prepare_folder(options, [f"{stem}.zip", f"{stem}.json"])
    if options.report is not None:
        _prepare_report(options)
    comparison = collect(
        _with_progress(events, len(settings.models) * len(settings.methods)),
        image=radiograph.pixels,
        settings=settings,
        source=radiograph.sha256,
        note=radiograph.note,
    )
    findings = _chosen_findings(options.finding, comparison)
    written = _write(comparison, findings, options, stem)
    _print_captions(comparison, findings)
    for path in written:
        print(path)
    return 0


def _write(
    comparison: Comparison, findings: Sequence[str], options: argparse.Namespace, stem: str
) -> list[Path]:
    """Write pictures, bundle, settings and report; return their paths."""
    pictures = _file_names(stem, findings, options.format)
    _prepare_folder(options, list(pictures))
    for name, finding in pictures.items():
        figure = panels(comparison, finding, scale=options.scale)
        picture = panels_svg(figure) if options.format == "svg" else panels_png(figure, dpi=options.dpi)
        write_bytes(options.out / name, picture)
    bundle.save(replace(comparison, findings=tuple(findings)), options.out / f"{stem}.zip")
    film = options.image.name
    saved = SavedSettings.of(comparison, findings, film=film, scale=options.scale)
    write_text(options.out / f"{stem}.json", settings_json(saved) + "\n")
    written = [options.out / name for name in (*pictures, f"{stem}.zip", f"{stem}.json")]
    if options.report is not None:
        text = comparison_report(comparison, findings, title=film, scale=options.scale, dpi=options.dpi)
        write_text(options.report, text)
        written.append(options.report)
    return written


def _chosen_findings(findings: Sequence[str] | None, comparison: Comparison) -> list[str]:
    """The given findings in the models' spelling; by default the predicted ones, else the highest-scoring."""
    labels = list(dict.fromkeys(label for p in comparison.predictions.values() for label in p.labels))
    if findings:
        return [labels[index] for index in dict.fromkeys(finding_indices(findings, labels))]
    predicted: dict[str, None] = {}
    for prediction in comparison.predictions.values():
        above = prediction.scores >= prediction.thresholds
        highest = prediction.labels[int(prediction.scores.argmax())]
        predicted |= dict.fromkeys(
            [label for label, is_above in zip(prediction.labels, above, strict=True) if is_above] or [highest]
        )
    return list(predicted)


def _print_captions(comparison: Comparison, findings: Sequence[str]) -> None:
    for finding in findings:
        for model, method in comparison.heat_maps:
            lines = "".join(f"\n    {note}" for note in notes(comparison, model, method, finding))
            print(caption(comparison, model, method, finding) + lines)


def _with_progress(events: Iterator[Event], total: int) -> Iterator[Event]:
    """Pass events through and show their progress on stderr, one step per model and method."""
    done = 0
    with ProgressBar("maps computed") as progress:
        for event in events:
            yield event
            if isinstance(event, HeatMaps):
                done += event.progress >= 1 or event.problem is not None
                progress(done, total, f"{event.model} · {event.title}: {event.progress:.0%}")


def _methods(keys: Sequence[str], stated: Sequence[str]) -> tuple[str, ...]:
    """The methods with the parameters of --set, each once, as they are written in results.

    Raises:
        InputError: an unknown method or parameter, an invalid value, or a --set of another method.
    """
    values: dict[str, dict[str, str]] = {}
    for text in stated:
        match = re.fullmatch(r"(\w+)\.(\w+)=(.+)", text)
        if match is None:
            raise InputError(
                f"--set must be METHOD.PARAMETER=VALUE, such as rise.masks=2000; got {text!r:.80}."
            )
        values.setdefault(match[1], {})[match[2]] = match[3]
    names = [configured_method(key).record.name for key in keys]
    for name in values:
        if name not in names:
            raise InputError(f"--set {name}.… needs --method {name}; the methods are {', '.join(names)}.")
    methods = [
        configured_method(with_values(key, values.get(name, {}))).key
        for key, name in zip(keys, names, strict=True)
    ]
    return tuple(dict.fromkeys(methods))


def _file_names(stem: str, findings: Sequence[str], suffix: str) -> dict[str, str]:
    """File name → finding; findings that differ only in punctuation get different names."""
    names: dict[str, str] = {}
    for finding in findings:
        name = f"{stem}-{re.sub('[^a-z0-9]+', '-', finding.lower())}"
        names[free_name(name, names, form="{name}-{number}")] = finding
    return {f"{name}.{suffix}": finding for name, finding in names.items()}


def _prepare_report(options: argparse.Namespace) -> None:
    """Create the report's folder; refuse another kind of file, and to overwrite an existing one."""
    report: Path = options.report
    if report.suffix.lower() not in (".html", ".htm"):  # so that it cannot replace a picture or the bundle
        raise InputError(f"--report must name an HTML file, such as report.html; got {report}.")
    _create_folder(report.parent, "--report must be in")
    check_targets([report], inputs=[options.image], force=options.force)


def _prepare_folder(options: argparse.Namespace, names: Sequence[str]) -> None:
    """Create the folder; refuse to overwrite existing files."""
    out: Path = options.out
    _create_folder(out, "--out must be")
    check_targets([out / name for name in names], inputs=[options.image], force=options.force)


def _create_folder(folder: Path, option: str) -> None:
    """Create a folder where there is none; ``option`` begins the sentence that says why it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{option} a writable folder; {folder} cannot be created ({error.strerror})."
        ) from error
