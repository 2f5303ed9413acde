"""Files of the Hugging Face Hub: from the cache, or from the network if it answers soon."""

import logging
import re
from pathlib import Path
from typing import Final

from huggingface_hub import HfFileMetadata, constants, get_hf_file_metadata, hf_hub_download, hf_hub_url
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from cxrbench.errors import InputError

__all__ = [
    "AbsentFileError",
    "check_revision",
    "explained",
    "fetch",
    "in_cache",
    "metadata_of",
    "newest_commit",
]

# Seconds after which the Hub counts as unreachable. Its own client would retry six times, 23 s per file.
_TIMEOUT: Final = 5.0
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_log = logging.getLogger(__name__)


class AbsentFileError(InputError):
    """The repository has no such file at that revision."""


def check_revision(repository: str, revision: str | None) -> str:
    """Return the revision if it is a full commit hash; a branch or tag may point to other weights later.

    Raises:
        InputError: it is not a commit hash.
    """
    if revision is None or not _COMMIT.fullmatch(revision):
        raise InputError(
            f"A model from the Hub must be pinned: give revision= the commit hash of {repository} "
            f"(40 hex digits, from its page's history); got {revision!r}."
        )
    return revision


def in_cache(repository: str, filename: str, *, revision: str | None = None) -> Path | None:
    """The path of a file in the local cache, or None; does not use the network.

    Raises:
        InputError: the repository's name is not of the form owner/name.
    """
    try:
        return Path(hf_hub_download(repository, filename, revision=revision, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    except HFValidationError:
        raise InputError(f"A Hub repository is named owner/name; got {repository!r:.100}.") from None


def metadata_of(repository: str, filename: str, *, revision: str | None = None) -> HfFileMetadata:
    """Commit, size and entity tag of a file; asks the Hub once, whatever the cache holds.

    Args:
        repository: ``owner/name``.
        filename: the file's path inside it.
        revision: a commit hash, or None for the newest.

    Raises:
        InputError: the repository or the file does not exist, or the Hub does not answer.
    """
    try:
        # One request without retries: where there is no network, that is said within seconds.
        return get_hf_file_metadata(hf_hub_url(repository, filename, revision=revision), timeout=_TIMEOUT)
    except Exception as error:
        raise explained(
            error,
            repository,
            filename,
            f"{filename} of {repository} is not available from the Hugging Face Hub "
            f"({type(error).__name__}); connect to the network, or copy the model's folder here from a "
            "machine that has it.",
            revision=revision,
        ) from None


def newest_commit(repository: str, filename: str) -> str:
    """The hash of the newest commit of a Hub repository; arguments and errors as of `metadata_of`.

    The repository must have the file.
    """
    commit = metadata_of(repository, filename).commit_hash
    if commit is None:
        raise InputError(f"The Hub names no commit of {repository}; give one: {repository}@COMMIT.")
    return commit


def fetch(repository: str, filename: str, *, revision: str | None = None) -> Path:
    """The path of a file of a Hub repository, from the local cache or else downloaded.

    Args:
        repository: ``owner/name``.
        filename: the file's path inside it.
        revision: a commit hash, or None for the newest.

    Raises:
        InputError: it is not in the cache and cannot be downloaded; the message says why.
    """
    cached = in_cache(repository, filename, revision=revision)
    if cached is not None:
        return cached
    try:
        # One request without retries, to find out whether there is a network at all.
        get_hf_file_metadata(hf_hub_url(repository, filename, revision=revision), timeout=_TIMEOUT)
        _log.info("downloading %s from %s", filename, repository)
        return Path(hf_hub_download(repository, filename, revision=revision))
    except Exception as error:
        raise explained(
            error,
            repository,
            filename,
            f"{filename} of {repository} is neither in the local cache ({constants.HF_HUB_CACHE}) nor "
            f"available from the Hugging Face Hub ({type(error).__name__}); connect to the network once, or "
            "copy a cache that holds it there (HF_HOME sets the folder).",
            revision=revision,
        ) from error


def explained(
    error: Exception, repository: str, filename: str, otherwise: str, *, revision: str | None = None
) -> InputError:
    """The error of a request to the Hub as one sentence; ``otherwise`` where the Hub gave no answer."""
    if isinstance(error, HFValidationError):
        return InputError(f"A Hub repository is named owner/name; got {repository!r:.100}.")
    if isinstance(error, GatedRepoError):
        return InputError(
            f"{repository} is given only to those who accepted its terms: accept them on its page, "
            f"{constants.ENDPOINT}/{repository}, then log in with 'hf auth login'."
        )
    if isinstance(error, RepositoryNotFoundError) or _status(error) in (401, 403):
        # The Hub gives the same answer for private and for missing repositories.
        return InputError(
            f"The Hub has no public repository {repository}; check its name, or log in if it is private."
        )
    if isinstance(error, RemoteEntryNotFoundError | RevisionNotFoundError):
        return AbsentFileError(
            f"Repository {repository} has no file {filename} at revision {revision or 'main'}."
        )
    # Name resolution, proxy, TLS, time-out, offline mode, full disk: each HTTP library has its own type.
    return InputError(otherwise)


def _status(error: Exception) -> int:
    """The HTTP status that the Hub answered with; 0 for another error."""
    return error.response.status_code if isinstance(error, HfHubHTTPError) else 0
