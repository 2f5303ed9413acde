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
from cxrbench.models.catalog import Found, available, scan
from cxrbench.models.classifier import Classifier
from cxrbench.models.fetch import check_revision, fetch
from cxrbench.writing import draft_folder, write_text

__all__ = ["Found", "available", "evaluation", "load", "pull", "push", "save", "scan"]


def save(
    model: Classifier,
    folder: str | Path,
    *,
    evaluation: Mapping[str, Any] | None = None,
    card: str | None = None,
    half: bool = True,
) -> Path:
    """Write a model as a folder, whole or not at all.

    Args:
        model: any classifier.
        folder: where; made if need be. An older saved model there is replaced.
        evaluation: what was measured on it, as plain values: becomes ``evaluation.json``, told in the card.
        card: more for the model card, in Markdown: data, training, limits.
        half: store matrices and filters in 16 bits. What loads is then the rounded model: evaluate that one.

    Returns:
        The folder.

    Raises:
        InputError: the folder holds files that are not a saved model's, or ``evaluation`` is not plain JSON.
    """
    folder = Path(folder)
    _check_free(folder)
    with draft_folder(folder) as new:
        files.write_weights(new / files.WEIGHTS, model.backbone.state_dict(), half=half)
        files.write_spec(new / files.CONFIG, model.spec)
        write_text(new / files.EVALUATION, _as_json(evaluation or {}))
        write_text(new / files.README, model_card(model.spec, evaluation or {}, card))
    return folder


def load(source: str | Path, *, revision: str | None = None) -> Classifier:
    """A saved model, in eval mode, its parameters frozen: explanations differentiate features and images.

    Args:
        source: a folder; or the name of an available model; or a Hub repository ``owner/name``.
        revision: of a Hub repository, required there: a commit hash.

    Raises:
        InputError: there is no such model, or it is damaged, partial, or of another format.
    """
    folder = _locate(source, revision)
    spec = files.read_spec(folder)
    weights = folder / files.WEIGHTS
    state = files.read_weights(weights)
    model = assemble(spec, revision=files.revision_of(weights))
    files.fit(state, model.backbone, str(weights))
    return model.requires_grad_(False)


def pull(repository: str, *, revision: str) -> Path:
    """The folder of a model on the Hub, from the cache or the network.

    Args:
        repository: ``owner/name``.
        revision: a commit hash.

    Raises:
        InputError: the revision is not pinned, or a file cannot be had.
    """
    check_revision(repository, revision)
    folder = fetch(repository, files.CONFIG, revision=revision).parent
    fetch(repository, files.WEIGHTS, revision=revision)
    for optional in (files.README, files.EVALUATION):
        with suppress(InputError):
            fetch(repository, optional, revision=revision)
    return folder


def push(folder: str | Path, repository: str, *, private: bool = True, message: str = "Upload model") -> str:
    """Send a saved model to the Hub, with the login that ``hf auth login`` keeps.

    Args:
        folder: a saved model.
        repository: ``owner/name``; made if need be.
        private: who may see a repository that is made.
        message: of the commit.

    Returns:
        The commit hash: the revision to load it by.

    Raises:
        InputError: the folder is not a model that loads, or the Hub does not take it.
    """
    load(Path(folder))  # what does not load is not sent
    api = HfApi()
    try:
        api.create_repo(repository, private=private, exist_ok=True)
        commit = api.upload_folder(
            repo_id=repository, folder_path=folder, allow_patterns=list(files.FILES), commit_message=message
        )
    except Exception as error:  # of the network, the login or the name: every HTTP library has its own
        raise InputError(
            f"The Hub did not take {repository} ({type(error).__name__}: {str(error).splitlines()[0]:.200}); "
            "log in with 'hf auth login' and check the name and the network."
        ) from error
    return commit.oid


def evaluation(folder: str | Path) -> dict[str, Any]:
    """What was measured on a saved model; empty where nothing was."""
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
        f"There is no model {str(source)!r}: neither a folder nor one of the available ({names})."
    )


def _check_free(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"A model is saved as a folder, but {folder} is a file; choose another place.")
    present = {path.name for path in folder.iterdir()}
    others = sorted(present - {*files.FILES, files.PREDICTIONS})
    if others:
        raise InputError(
            f"{folder} holds files that no saved model has ({', '.join(others[:3])}); choose another place."
        )
    if present and not files.is_model(folder):  # somebody's README.md, or the config.json of another program
        raise InputError(
            f"{folder} holds {', '.join(sorted(present)[:3])}, which no saved model's config.json claims; "
            "choose another place."
        )


def _as_json(values: Mapping[str, Any]) -> str:
    try:
        # NaN is not JSON: what is undefined must come as None.
        return json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise InputError(
            f"An evaluation must be plain JSON values, None for undefined ones: {error}."
        ) from None
