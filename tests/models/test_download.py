"""Downloads from a local server that answers like the Hugging Face Hub: broken, resumed, damaged, refused."""

import hashlib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from cxrbench.errors import InputError
from cxrbench.models.download import download
from cxrbench.models.fetch import AbsentFileError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CONTENT = os.urandom(200_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class StoppedError(Exception):
    """What a page raises to stop a download."""


@pytest.fixture
def receive(fake_hub: Any, tmp_path: Path) -> Callable[..., Path]:
    """Download the one file of the one repository."""
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "model.bin").write_bytes(CONTENT)
    fake_hub.repositories["someone/repository"] = tmp_path / "repository"
    return lambda **options: download("someone/repository", "model.bin", tmp_path / "received", **options)


def test_a_file_is_received_whole_with_its_progress(receive: Callable[..., Path], tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    path = receive(revision=COMMIT, progress=lambda *now: seen.append(now))
    assert path.read_bytes() == CONTENT
    assert list((tmp_path / "received").iterdir()) == [path]
    assert {(file, total) for file, _, total in seen} == {("model.bin", len(CONTENT))}
    counts = [done for _, done, _ in seen]
    assert counts == sorted(counts)
    assert counts[-1] == len(CONTENT)


def test_a_connection_that_breaks_is_made_anew_from_where_it_broke(
    receive: Callable[..., Path], fake_hub: Any
) -> None:
    fake_hub.breaks = [50_000, 30_000]
    assert receive(sha256=SHA256).read_bytes() == CONTENT
    assert fake_hub.asked == ["", "bytes=50000-", "bytes=80000-"]


def test_a_download_that_was_stopped_goes_on_where_it_stopped(
    receive: Callable[..., Path], fake_hub: Any
) -> None:
    def stop(file: str, done: int, total: int) -> None:
        if done:
            raise StoppedError

    with pytest.raises(StoppedError):
        receive(progress=stop)
    first: list[int] = []
    assert receive(progress=lambda file, done, total: first.append(done)).read_bytes() == CONTENT
    before = int(fake_hub.asked[-1].removeprefix("bytes=").removesuffix("-"))
    assert 0 < before <= first[0]


def test_a_server_that_cannot_begin_in_the_middle_sends_the_whole_file(
    receive: Callable[..., Path], fake_hub: Any
) -> None:
    fake_hub.ranges = False
    fake_hub.breaks = [50_000, 70_000]
    assert receive().read_bytes() == CONTENT


def test_errors_of_the_server_that_pass_are_waited_for(receive: Callable[..., Path], fake_hub: Any) -> None:
    fake_hub.statuses = [503, 429, 500]
    assert receive().read_bytes() == CONTENT


def test_after_many_attempts_in_vain_the_sentence_says_what_is_kept(
    receive: Callable[..., Path], fake_hub: Any
) -> None:
    fake_hub.breaks = [100_000] + [0] * 6
    with pytest.raises(InputError, match=r"broke off after 0\.1 MB of 0\.2 MB .* is kept: try again"):
        receive()
    assert receive().read_bytes() == CONTENT
    assert fake_hub.asked[-1] == "bytes=100000-"


def test_a_file_with_another_hash_than_the_pinned_one_is_not_even_asked_for(
    receive: Callable[..., Path], fake_hub: Any, tmp_path: Path
) -> None:
    with pytest.raises(
        InputError, match=r"not the expected file: its SHA-256 is .*… instead of 000000000000…"
    ):
        receive(sha256="0" * 64)
    assert fake_hub.asked == []
    assert not (tmp_path / "received").exists()


def test_a_file_that_was_damaged_on_the_way_is_not_kept(
    receive: Callable[..., Path], fake_hub: Any, tmp_path: Path
) -> None:
    fake_hub.damaged = True
    with pytest.raises(InputError, match="damaged on the way; it was not kept"):
        receive()
    assert list((tmp_path / "received").iterdir()) == []


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        ((404, "EntryNotFound"), r"has no file model\.bin at revision main"),
        ((401, "RepoNotFound"), "no public repository someone/repository; check its name, or log in"),
        ((401, ""), "no public repository someone/repository; check its name, or log in"),
        ((403, "GatedRepo"), "only to those who accepted its terms"),
        ((503, ""), r"is not available from the Hugging Face Hub \(HfHubHTTPError\)"),
    ],
)
def test_a_refusal_is_said_in_one_sentence(
    refusal: tuple[int, str], sentence: str, receive: Callable[..., Path], fake_hub: Any, tmp_path: Path
) -> None:
    fake_hub.refusal = refusal
    with pytest.raises(InputError, match=sentence) as raised:
        receive()
    assert isinstance(raised.value, AbsentFileError) == (refusal[0] == 404)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "received").exists()


def test_a_refusal_of_the_body_alone_is_no_reason_to_try_again(
    receive: Callable[..., Path], fake_hub: Any
) -> None:
    fake_hub.statuses = [403]
    with pytest.raises(InputError, match="log in if it is private"):
        receive()
    assert fake_hub.asked == [""]


def test_without_a_network_that_is_said_within_seconds(
    receive: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = "http://127.0.0.1:9/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", closed)
    began = time.monotonic()
    with pytest.raises(InputError, match="connect to the network, or copy the model's folder here from a"):
        receive()
    assert time.monotonic() - began < 10


def test_what_the_cache_of_the_hub_holds_is_not_downloaded(
    place: Callable[..., Path], fake_hub: Any, tmp_path: Path
) -> None:
    (tmp_path / "model.bin").write_bytes(CONTENT)
    cached = place("someone/repository", "model.bin", tmp_path / "model.bin")
    assert download("someone/repository", "model.bin", tmp_path / "received", sha256=SHA256) == cached
    assert fake_hub.asked == []
    with pytest.raises(InputError, match=re.escape("no public repository someone/repository")):
        download("someone/repository", "model.bin", tmp_path / "received", sha256="0" * 64)
