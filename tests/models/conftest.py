import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from huggingface_hub import constants

from cxrbench.models import Classifier, create
from cxrbench.preprocess import Preprocessing

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ADDRESS = re.compile(r"/(?P<repository>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<file>.+)")
LABELS = ("Cardiomegaly", "Edema", "Pleural Effusion")


@pytest.fixture(scope="session")
def classifier() -> Callable[[str], Classifier]:
    """One random classifier per architecture, for small images, shared: nothing may change it."""
    return cache(lambda name: create(name, LABELS, preprocessing=Preprocessing(size=128), seed=1))


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Hub cache and no network."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


@pytest.fixture
def place(hub_cache: Path) -> Callable[..., Path]:
    """Lay a file into the Hub cache, as a download would."""

    def put(repository: str, filename: str, source: Path, *, revision: str = "0" * 40) -> Path:
        root = hub_cache / f"models--{repository.replace('/', '--')}"
        path = root / "snapshots" / revision / filename
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.read_bytes())
        (root / "refs").mkdir(exist_ok=True)
        (root / "refs" / "main").write_text(revision)
        return path

    return put


@dataclass
class FakeHub:
    """What a local server that answers like the Hugging Face Hub serves, and how.

    Args:
        repositories: ``owner/name`` → folder of its files, at one commit, which is the newest.
        breaks: after how many bytes the next bodies break off.
        statuses: of the next bodies, instead of 200.
        refusal: status and ``X-Error-Code`` of every answer; (0, "") for none.
        ranges: whether it can begin in the middle of a file.
        damaged: whether the bytes it sends are others than it states.
        asked: the ``Range`` of each request for a body so far; "" for the whole file.
    """

    repositories: dict[str, Path] = field(default_factory=dict)
    breaks: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    refusal: tuple[int, str] = (0, "")
    ranges: bool = True
    damaged: bool = False
    asked: list[str] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    hub: FakeHub

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.hub.asked.append(self.headers.get("Range", ""))
        self.answer(body=True)

    def answer(self, *, body: bool) -> None:
        wanted = ADDRESS.fullmatch(self.path)
        folder = self.hub.repositories.get(wanted["repository"]) if wanted else None
        known = wanted is not None and folder is not None and wanted["revision"] in (COMMIT, "main")
        file = folder / wanted["file"] if known and folder and wanted else None
        content = file.read_bytes() if file and file.is_file() else b""
        start = int(self.headers.get("Range", "bytes=0-")[6:-1]) if self.hub.ranges else 0
        status, code = self.hub.refusal
        if not status and not content:
            status, code = 404, "EntryNotFound" if folder else "RepoNotFound"
        if body and self.hub.statuses:
            status = self.hub.statuses.pop(0)
        self.send_response(status or (206 if start else 200))
        if status:
            content = b""
            self.send_header("X-Error-Code", code)
        else:
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        rest = content[start:][:: -1 if self.hub.damaged else 1]
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        if body:
            self.wfile.write(rest[: self.hub.breaks.pop(0)] if self.hub.breaks else rest)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def fake_hub(hub_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A Hub without repositories yet; the cache is empty, and nobody waits long between attempts."""
    hub = FakeHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OneHub", (Handler,), {"hub": hub}))
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", address)
    template = f"{address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("cxrbench.models.download._FIRST_WAIT", 0.001)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield hub
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of models, not there yet; nothing ships."""
    monkeypatch.setenv("CXRBENCH_ASSETS", str(tmp_path / "assets"))
    monkeypatch.setenv("CXRBENCH_MODELS", str(tmp_path / "own"))
    monkeypatch.setenv("CXRBENCH_RUNS", str(tmp_path / "runs"))
    return tmp_path / "own"
