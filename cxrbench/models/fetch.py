"""Files of the Hugging Face Hub: from the cache, or from the network if it answers soon."""

import logging
import re
from pathlib import Path
from typing import Final

from huggingface_hub import constants, get_hf_file_metadata, hf_hub_download, hf_hub_url
from huggingface_hub.errors import (
    HFValidationError,
    LocalEntryNotFoundError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from cxrbench.errors import InputError

__all__ = ["check_revision", "fetch", "in_cache"]

# Seconds until the Hub counts as out of reach. The Hub's own client would try six times, for 23 s a file.
_PATIENCE: Final = 5.0
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_log = logging.getLogger(__name__)


def check_revision(repository: str, revision: str | None) -> str:
    """The revision, if it is a full commit hash: a branch or tag may hold other weights tomorrow.

    Raises:
        InputError: it is anything else.
    """
    if revision is None or not _COMMIT.fullmatch(revision):
        raise InputError(
            f"A model from the Hub must be pinned: give revision= the commit hash of {repository} "
            f"(40 hex digits, from its page's history); got {revision!r}."
        )
    return revision


def in_cache(repository: str, filename: str, *, revision: str | None = None) -> Path | None:
    """The file in the local cache, or None; asks no network.

    Raises:
        InputError: the repository's name cannot be one.
    """
    try:
        return Path(hf_hub_download(repository, filename, revision=revision, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    except HFValidationError:
        raise InputError(f"A Hub repository is named owner/name; got {repository!r:.100}.") from None


def fetch(repository: str, filename: str, *, revision: str | None = None) -> Path:
    """A file of a Hub repository, from the local cache or else from the network.

    Args:
        repository: ``owner/name``.
        filename: the file's path inside it.
        revision: a commit hash, or None for the newest.

    Raises:
        InputError: it is neither in the cache nor to be had from the network; the sentence says why.
    """
    cached = in_cache(repository, filename, revision=revision)
    if cached is not None:
        return cached
    try:
        # One request without retries finds out whether there is a network at all.
        get_hf_file_metadata(hf_hub_url(repository, filename, revision=revision), timeout=_PATIENCE)
        _log.info("downloading %s from %s", filename, repository)
        return Path(hf_hub_download(repository, filename, revision=revision))
    except RepositoryNotFoundError:
        # The Hub answers alike for what is private and what does not exist.
        raise InputError(
            f"The Hub shows no repository {repository} without a login; check its name or log in."
        ) from None
    except (RemoteEntryNotFoundError, RevisionNotFoundError):
        raise InputError(f"Repository {repository} has no file {filename} at revision {revision}.") from None
    except Exception as error:
        # Name resolution, proxy, TLS, time-out, offline mode, full disk: every HTTP library has its own.
        raise InputError(
            f"{filename} of {repository} is neither in the local cache ({constants.HF_HUB_CACHE}) nor to be "
            f"had from the Hugging Face Hub ({type(error).__name__}); connect to the network once, or copy a "
            "cache that holds it there (HF_HOME chooses the place)."
        ) from error
