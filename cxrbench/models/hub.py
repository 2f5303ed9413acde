"""Saving and loading models: local folders and the Hugging Face Hub."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi

from cxrbench.errors import InputError
from cxrbench.models import folder as files
from cxrbench.models.build import assemble
from cxrbench.models.card import model_card
from cxrbench.models.catalog import CatalogEntry, available, how_to_add, scan
from cxrbench.models.classifier import Classifier
from cxrbench.models.feature_statistics import read_statistics, write_statistics
from cxrbench.models.fetch import check_revision, fetch
from cxrbench.writing import draft_folder, write_text

__all__ = ["CatalogEntry", "available", "evaluation", "load", "pull", "push", "save", "scan"]


def save(
    model: Classifier,
    folder: str | Path,
    *,
    evaluation: Mapping[str, Any] | None = None,
    card: str | None = None,
    half: bool = True,
) -> Path:
    """Save a model as a folder; either all files are written or none.

    Args:
        model: any classifier.
        folder: path of the folder; created if missing. A saved model that is there is replaced.
        evaluation: its metrics, as plain values: written to ``evaluation.json`` and shown in the card.
        card: more text for the model card, in Markdown: data, training, limitations.
        half: store matrices and filters in 16 bits. Evaluate the model as loaded: its weights are rounded.

    Returns:
        The folder.

    Raises:
        InputError: the folder holds other files than a saved model's, or ``evaluation`` is not plain JSON.
    """
    folder = Path(folder)
    _check_replaceable(folder)
    with draft_folder(folder) as new:
        files.write_weights(new / files.WEIGHTS, model.backbone.state_dict(), half=half)
        if model.feature_statistics is not None:
            weights = files.revision_of(new / files.WEIGHTS)
            write_statistics(new / files.STATISTICS, model.feature_statistics, weights=weights)
        files.write_spec(new / files.CONFIG, model.spec)
        write_text(new / files.EVALUATION, _as_json(evaluation or {}))
        write_text(new / files.README, model_card(model.spec, evaluation or {}, card))
    return folder


def load(source: str | Path, *, revision: str | None = None) -> Classifier:
    """Load a saved model, in eval mode, with frozen parameters: explanations differentiate other tensors.

    Args:
        source: a folder, the name of an available model, or a Hub repository ``owner/name``.
        revision: commit hash; required for a Hub repository.

    Raises:
        InputError: there is no such model, or it is damaged, incomplete, or of another format.
    """
    folder = _locate(source, revision)
    spec = files.read_spec(folder)
    weights = folder / files.WEIGHTS
    state = files.read_weights(weights)
    model = assemble(spec, revision=files.revision_of(weights))
    files.fit(state, model.backbone, str(weights))
    model.feature_statistics = read_statistics(folder / files.STATISTICS, weights=model.revision)
    return model.requires_grad_(False)


def pull(repository: str, *, revision: str) -> Path:
    """Download a model from the Hub, unless it is in the cache, and return its folder.

    Args:
        repository: ``owner/name``.
        revision: a commit hash.

    Raises:
        InputError: the revision is not a commit hash, or a file is not available.
    """
    check_revision(repository, revision)
    folder = fetch(repository, files.CONFIG, revision=revision).parent
    fetch(repository, files.WEIGHTS, revision=revision)
    for optional in (files.README, files.EVALUATION, files.STATISTICS):
        with suppress(InputError):
            fetch(repository, optional, revision=revision)
    return folder


def push(folder: str | Path, repository: str, *, private: bool = True, message: str = "Upload model") -> str:
    """Upload a saved model to the Hub, with the token that ``hf auth login`` stored.

    Args:
        folder: a saved model.
        repository: ``owner/name``; created if missing.
        private: whether a repository that is created is private.
        message: commit message.

    Returns:
        The commit hash, for ``load(..., revision=...)``.

    Raises:
        InputError: the folder does not load as a model, or the upload fails.
    """
    load(Path(folder))  # do not upload a model that does not load
    api = HfApi()
    try:
        api.create_repo(repository, private=private, exist_ok=True)
        commit = api.upload_folder(
            repo_id=repository, folder_path=folder, allow_patterns=list(files.FILES), commit_message=message
        )
    except Exception as error:  # network, login or name: each HTTP library raises its own type
        raise InputError(
            f"The upload to {repository} failed ({type(error).__name__}: {str(error).splitlines()[0]:.200}); "
            "log in with 'hf auth login' and check the name and the network."
        ) from error
    return commit.oid


def evaluation(folder: str | Path) -> dict[str, Any]:
    """The metrics stored with a model, the content of ``evaluation.json``; empty if there are none."""
    path = Path(folder) / files.EVALUATION
    document = files.read_json(path) if path.exists() else {}
    if not isinstance(document, dict):
        raise InputError(f"{path} must hold a JSON object.")
    return document


def _locate(source: str | Path, revision: str | None) -> Path:
    if isinstance(source, str) and revision is None and source in (known := available()):
        return known[source]
    folder = Path(source)
    if folder.is_dir():
        return folder
    if folder.exists():
        raise InputError(f"A saved model is a folder, but {folder} is a file.{files.pickle_hint(folder)}")
    if isinstance(source, str) and source.count("/") == 1 and not source.startswith((".", "~", "/")):
        if revision is None:
            raise InputError(
                f"There is no folder {source}; if it is a repository on the Hugging Face Hub, pin it: "
                "revision= its commit hash."
            )
        return pull(source, revision=revision)
    names = ", ".join(available()) or "none"
    raise InputError(
        f"There is no model {str(source)!r}: neither a folder nor one of the available ({names}). "
        f"{how_to_add()}"
    )


def _check_replaceable(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"A model is saved as a folder, but {folder} is a file; choose another path.")
    present = {path.name for path in folder.iterdir()}
    if others := files.other_files(folder):
        raise InputError(
            f"{folder} holds files that do not belong to a saved model ({', '.join(others[:3])}); choose "
            "another folder."
        )
    if present and not files.is_model(folder):  # a README.md, or the config.json of another program
        raise InputError(
            f"{folder} holds {', '.join(sorted(present)[:3])}, but no config.json of a saved model; choose "
            "another folder."
        )


def _as_json(values: Mapping[str, Any]) -> str:
    try:
        # NaN is not JSON: undefined values must be None.
        return json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise InputError(
            f"An evaluation must be plain JSON values, None for undefined ones: {error}."
        ) from None
