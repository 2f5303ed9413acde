"""The user's own models: added by name, from a folder or from the Hugging Face Hub, and removed.

They lie in the user's folder of models, `assets.own_models`, one folder per model, in this library's own
format. A model that is being added becomes visible when it is complete.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from filelock import FileLock, Timeout

from cxrbench import assets
from cxrbench.errors import InputError
from cxrbench.models import catalog
from cxrbench.models import folder as files
from cxrbench.models.offered import OFFERED, OfferedModel
from cxrbench.writing import create_folder, draft_folder, file_sha256, write_text

if TYPE_CHECKING:  # listing models does not import torch
    from cxrbench.models.classifier import Classifier
    from cxrbench.models.download import Progress

__all__ = ["add", "received", "remove"]

_DOWNLOADS: Final = ".downloads"  # in the user's folder of models: what was received of models to come
_FILES: Final = (*files.FILES, files.PREDICTIONS)
_OPTIONAL: Final = (files.README, files.EVALUATION, files.STATISTICS, files.PREDICTIONS)
_HOW: Final = "'cxrbench models offered' lists what can be added by name"


def add(what: str, *, progress: "Progress | None" = None) -> Path:
    """Add a model to the user's folder of models.

    Args:
        what: the name of an offered model; the folder of a saved model, which is copied; or a Hub
            repository that holds a saved model, ``owner/name@COMMIT``, without a commit the newest.
        progress: called during downloads with the file's name, bytes received and bytes in all; what it
            raises ends the download, and adding the model again goes on from there.

    Returns:
        The model's folder, named after the model.

    Raises:
        InputError: there is nothing of that name, it is no model that loads, it cannot be downloaded, or a
            model of that name exists; nothing is replaced.
    """
    offered = OFFERED.get(what) or _only_one_of(what)
    if offered is not None:
        return _add_offered(offered, progress)
    folder = Path(what).expanduser()
    if folder.is_dir():
        return _add_folder(folder)
    if folder.exists():
        raise InputError(f"A saved model is a folder, but {folder} is a file.{files.pickle_hint(folder)}")
    repository, _, revision = what.partition("@")
    if repository.count("/") == 1 and not repository.startswith((".", "~", "/")):
        return _add_repository(repository, revision, progress)
    raise InputError(
        f"{what!r:.100} is neither an offered model nor a folder nor a repository owner/name@COMMIT; {_HOW}."
    )


def received(name: str) -> int:
    """Bytes received of a model whose download was broken off or goes on; 0 if there are none.

    Args:
        name: of the model to come.
    """
    parts = (assets.own_models() / _DOWNLOADS / name).glob("*.part")
    try:
        return sum(part.stat().st_size for part in parts)
    except OSError:  # completed or removed meanwhile
        return 0


def remove(name: str) -> Path:
    """Remove one of the user's own models.

    Args:
        name: the model's, or that of its folder where the model cannot be read.

    Returns:
        The folder that was removed.

    Raises:
        InputError: there is no such model, it is shipped or a run's, or its folder holds other files.
    """
    entry = _find(name)
    if entry.of_run:
        raise InputError(
            f"The model {name} belongs to the training run in {entry.folder.parent}; remove that folder to "
            "remove both."
        )
    if entry.kind == "shipped":
        raise InputError(f"The model {name} ships with cxrbench and stays; only added ones can be removed.")
    if entry.folder.is_symlink():  # what it points to is elsewhere, and stays
        entry.folder.unlink()
        return entry.folder
    if others := files.other_files(entry.folder):
        raise InputError(
            f"{entry.folder} also holds {', '.join(others[:3])}, which may be yours; move what does not "
            "belong to the model, or remove the folder yourself."
        )
    # Renamed first, so that no reader finds half a model.
    gone = entry.folder.with_name(f".{entry.folder.name}-removed")
    shutil.rmtree(gone, ignore_errors=True)
    try:
        entry.folder.rename(gone)
        shutil.rmtree(gone)
    except OSError as error:
        raise InputError(f"{entry.folder} cannot be removed ({error.strerror}).") from error
    return entry.folder


def _find(name: str) -> catalog.CatalogEntry:
    entries = catalog.scan()
    added = [entry for entry in entries if entry.folder.parent == assets.own_models()]
    found = [entry for entry in added if name == (entry.spec.name if entry.spec else entry.folder.name)]
    found += [entry for entry in entries if entry.spec is not None and entry.spec.name == name]
    if not found:
        names = ", ".join(entry.spec.name for entry in added if entry.spec is not None) or "none"
        raise InputError(f"There is no model {name!r:.100} to remove; added were: {names}.")
    return found[0]


def _only_one_of(repository: str) -> OfferedModel | None:
    """The offered model of a repository that holds no other."""
    found = [model for model in OFFERED.values() if model.repository == repository]
    return found[0] if len(found) == 1 else None


def _add_offered(offered: OfferedModel, progress: "Progress | None") -> Path:
    from cxrbench.models import hub
    from cxrbench.models.download import download
    from cxrbench.models.fetch import newest_commit

    if not (offered.revision or offered.sha256):  # nobody has pinned it: what is taken now is stated
        offered = replace(offered, revision=newest_commit(offered.repository, offered.file))
    with _being_added(offered.name) as (target, received):
        file = download(
            offered.repository,
            offered.file,
            received,
            revision=offered.revision or None,
            sha256=offered.sha256,
            progress=progress,
        )
        model = offered.load(file)
        model.spec = replace(
            model.spec,
            name=offered.name,
            title=offered.title,
            learned_from=offered.learned_from,
            licence=offered.licence,
            source=offered.source,
        )
        return hub.save(model, target, half=not _rounding_changes(model), card=_card(offered, file))


def _add_folder(folder: Path) -> Path:
    with _being_added(files.read_spec(folder).name) as (target, _):
        return _keep(folder, target)


def _add_repository(repository: str, revision: str, progress: "Progress | None") -> Path:
    from cxrbench.models.download import download
    from cxrbench.models.fetch import AbsentFileError, check_revision, fetch, newest_commit

    commit = check_revision(repository, revision or newest_commit(repository, files.CONFIG))
    config = fetch(repository, files.CONFIG, revision=commit)
    with _being_added(files.read_spec(config.parent).name) as (target, received):
        for file in _FILES:
            with suppress(AbsentFileError) if file in _OPTIONAL else nullcontext():
                shown = progress if file == files.WEIGHTS else None  # the others are small
                path = download(repository, file, received, revision=commit, progress=shown)
                if path.parent != received:  # in the Hub's cache
                    received.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, received / file)
        _note_source(received / files.CONFIG, f"{repository}@{commit}")
        return _keep(received, target)


def _note_source(config: Path, source: str) -> None:
    """Write into a ``config.json`` where it is from, unless it says so itself."""
    write_text(
        config, json.dumps({"source": source, **files.read_json(config)}, indent=2, ensure_ascii=False) + "\n"
    )


def _keep(source: Path, target: Path) -> Path:
    """Copy a saved model's files, and check that they load."""
    from cxrbench.models import hub

    with draft_folder(target) as new:
        for file in _FILES:
            if (source / file).is_file():
                shutil.copyfile(source / file, new / file)
        hub.load(new)  # do not keep a model that does not load
    return target


@contextmanager
def _being_added(name: str) -> Iterator[tuple[Path, Path]]:
    """The folder that a model gets, and one for what is received until then, for this process alone.

    What was received of a file that is not complete stays, so that the next download goes on from there.

    Raises:
        InputError: a model or folder of that name exists, or another process is adding it.
    """
    target = assets.own_models() / name
    downloads = assets.own_models() / _DOWNLOADS
    received, lock = downloads / name, downloads / f"{name}.lock"
    try:
        create_folder(downloads, "name another folder in CXRBENCH_MODELS")
        with FileLock(lock, timeout=0):
            try:
                _check_free(name, target)
                yield target, received
            finally:
                if not any(received.glob("*.part")):
                    shutil.rmtree(received, ignore_errors=True)
                with suppress(OSError):
                    lock.unlink()
    except Timeout:
        raise InputError(
            f"{name} is being added by another process of this machine; wait until that has ended."
        ) from None
    finally:
        for folder in (downloads, assets.own_models()):
            with suppress(OSError):
                folder.rmdir()  # if nothing is left in it


def _check_free(name: str, target: Path) -> None:
    existing = target if target.exists() else catalog.available().get(name)
    if existing is not None:
        raise InputError(
            f"There is a model {name} already, in {existing}; remove it ('cxrbench models remove {name}') to "
            "add it anew."
        )


def _rounding_changes(model: "Classifier") -> bool:
    """Whether 16 bits do not hold the matrices and filters exactly."""
    return any(
        tensor.is_floating_point() and tensor.ndim > 1 and not bool((tensor.half().float() == tensor).all())
        for tensor in model.backbone.state_dict().values()
    )


def _card(offered: OfferedModel, file: Path) -> str:
    revision = f", revision `{offered.revision}`" if offered.revision else ""
    return (
        f"## Where it is from\n"
        f"[{offered.repository}](https://huggingface.co/{offered.repository}){revision}, file "
        f"`{offered.file}` with the SHA-256 `{file_sha256(file)}`. cxrbench changed the format, not what "
        "the network computes.\n\n"
        f"* Licence: {offered.licence}.\n"
        f"* Learned from: {offered.learned_from}.\n"
    )
