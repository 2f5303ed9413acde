"""Downloads into the user's folder of models, from a local server that answers like the Hugging Face Hub."""

import hashlib
import re
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from huggingface_hub import constants

from cxrbench.cli import main
from cxrbench.errors import InputError
from cxrbench.models import create, hub

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = ["README.md", "config.json", "evaluation.json", "model.safetensors"]
ADDRESS = re.compile(r"/(?P<repository>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<file>.+)")


class FakeHub(BaseHTTPRequestHandler):
    """Serves the files of repositories at one commit, which is the newest."""

    repositories: dict[str, Path] = {}  # noqa: RUF012

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, *, body: bool) -> None:
        wanted = ADDRESS.fullmatch(self.path)
        folder = self.repositories.get(wanted["repository"]) if wanted else None
        file = (
            folder / wanted["file"] if wanted and folder and wanted["revision"] in (COMMIT, "main") else None
        )
        content = file.read_bytes() if file and file.is_file() else b""
        self.send_response(200 if content else 404)
        if content:
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        else:
            self.send_header("X-Error-Code", "EntryNotFound" if folder else "RepoNotFound")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    model = create("vit_tiny", ("Edema", "Cardiomegaly"), name="small", title="Small", seed=1)
    return hub.save(model, tmp_path / "saved")


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of models, not there yet; nothing ships."""
    monkeypatch.setenv("CXRBENCH_ASSETS", str(tmp_path / "assets"))
    monkeypatch.setenv("CXRBENCH_MODELS", str(tmp_path / "own"))
    monkeypatch.setenv("CXRBENCH_RUNS", str(tmp_path / "runs"))
    return tmp_path / "own"


@pytest.fixture
def serve(hub_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Serve folders as repositories; the cache is empty."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeHub)
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", address)
    template = f"{address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(FakeHub, "repositories", {})
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield lambda **folders: FakeHub.repositories.update(
        {f"someone/{name}": folder for name, folder in folders.items()}
    )
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_model_that_was_fetched_is_found_by_its_name(
    own: Path, saved: Path, serve: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    serve(repository=saved)
    assert main(["models", "--fetch", "someone/repository"]) == 0
    output = capsys.readouterr()
    assert output.out == "small\tSmall\tEdema, Cardiomegaly\n"
    assert str(own / "small") in output.err
    assert sorted(path.name for path in (own / "small").iterdir()) == FILES
    assert hub.available() == {"small": own / "small"}
    assert hub.load("small").revision == hub.load(saved).revision
    assert main(["models"]) == 0
    assert capsys.readouterr().out == output.out


def test_stored_predictions_come_along_where_the_repository_has_them(
    own: Path, saved: Path, serve: Callable[..., None]
) -> None:
    (saved / "predictions.csv").write_text("path,Edema,score Edema\na,1,0.5\n")
    (saved / "evaluation.json").unlink()
    serve(repository=saved)
    assert main(["models", "--fetch", f"someone/repository@{COMMIT}"]) == 0
    assert (own / "small" / "predictions.csv").is_file()
    assert not (own / "small" / "evaluation.json").exists()


def test_nothing_is_replaced(
    own: Path, saved: Path, serve: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    serve(repository=saved)
    (own / "small").mkdir(parents=True)
    (own / "small" / "thesis.tex").write_text("years of work")
    assert main(["models", "--fetch", "someone/repository"]) == 2
    assert f"{own / 'small'} exists already; rename or remove" in capsys.readouterr().err
    assert (own / "small" / "thesis.tex").read_text() == "years of work"
    hub.save(hub.load(saved), tmp_path / "assets" / "models" / "other")
    (own / "small").rename(own / "thesis")
    with pytest.raises(InputError, match=r"holds the model small, but .*other exists already"):
        hub.download("someone/repository")


def test_a_model_that_does_not_load_is_not_kept(own: Path, saved: Path, serve: Callable[..., None]) -> None:
    (saved / "model.safetensors").write_bytes(b"\xff" * 64)
    serve(repository=saved)
    with pytest.raises(InputError, match="damaged"):
        hub.download("someone/repository")
    assert not own.exists()


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("someone/nothing", "no public repository someone/nothing; check its name"),
        ("someone/empty", r"someone/empty has no file config\.json"),
        ("someone/repository@main", "give revision= the commit hash"),
        ("no such/name", "named owner/name; got 'no such/name'"),
    ],
)
def test_what_cannot_be_fetched_is_said_in_one_sentence(
    source: str,
    sentence: str,
    own: Path,
    saved: Path,
    serve: Callable[..., None],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    serve(repository=saved, empty=tmp_path)
    assert main(["models", "--fetch", source]) == 2
    error = capsys.readouterr().err
    assert re.search(sentence, error)
    assert error.count("\n") == 1
    assert not own.exists()


@pytest.mark.usefixtures("hub_cache")
@pytest.mark.parametrize("source", ["someone/repository", f"someone/repository@{COMMIT}"])
def test_without_a_network_the_sentence_names_cause_and_remedy(
    source: str, own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "--fetch", source]) == 2
    error = capsys.readouterr().err
    assert re.search(r"Hugging Face Hub.*connect to the network", error)
    assert error.count("\n") == 1
    assert not own.exists()


def test_where_no_model_is_the_sentence_says_how_to_get_one(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(tmp_path / "film.png")]) == 2
    error = capsys.readouterr().err
    assert "No model is available. Fetch one with 'cxrbench models --fetch OWNER/NAME'" in error
    assert str(own) in error
