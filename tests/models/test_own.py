"""The user's own models: added by name, from a folder and from the Hub, and removed."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
import torch
from filelock import FileLock

from cxrbench.cli import main
from cxrbench.errors import InputError
from cxrbench.models import ModelSpec, create, hub, own
from cxrbench.models.folder import write_spec
from cxrbench.models.offered import OFFERED, OfferedModel
from cxrbench.preprocess import Preprocessing

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = ["README.md", "config.json", "evaluation.json", "model.safetensors"]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    model = create("vit_tiny", ("Edema", "Cardiomegaly"), name="small", title="Small", seed=1)
    return hub.save(model, tmp_path / "saved")


@pytest.fixture
def offered(fake_hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OfferedModel:
    """A model that is offered, in a format of others: here any bytes at all."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "model.pt").write_bytes(b"weights" * 10_000)
    fake_hub.repositories["others/model"] = tmp_path / "theirs"
    model = OfferedModel(
        name="theirs",
        title="Theirs",
        repository="others/model",
        file="model.pt",
        licence="CC BY-NC 4.0: not for commercial use",
        learned_from="NIH and PadChest",
        findings=2,
        size=70_000,
        load=lambda path: create("vit_tiny", ("Edema", "Mass"), seed=len(path.read_bytes())),
        revision=COMMIT,
    )
    monkeypatch.setattr(own, "OFFERED", {"theirs": model})
    return model


def leave(folder: Path, name: str) -> Path:
    """A saved model, as far as the list looks."""
    folder.mkdir(parents=True)
    write_spec(folder / "config.json", ModelSpec(name, "alexnet", ("Edema",), Preprocessing(), (0.5,)))
    (folder / "model.safetensors").touch()
    (folder / "predictions.csv").touch()
    return folder


# Offered models.


def test_every_offered_pickle_is_pinned_and_every_model_says_what_it_is() -> None:
    assert {"xrv-densenet121-res224-all", "xrv-densenet121-res224-pc"} <= OFFERED.keys()
    for name, model in OFFERED.items():
        assert name == model.name == ModelSpec(name, "alexnet", ("Edema",), Preprocessing(), (0.5,)).name
        assert re.fullmatch(r"[0-9a-f]{40}|", model.revision)
        # A pickle can run any code.
        assert model.file.endswith(".safetensors") or re.fullmatch(r"[0-9a-f]{64}", model.sha256)
        assert model.repository.count("/") == 1
        assert all((model.title, model.licence, model.learned_from, model.findings > 0, model.size > 1e6))


def test_an_offered_model_is_kept_in_this_librarys_format_with_where_it_is_from(
    own_folder: Path, offered: OfferedModel, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "add", "theirs"]) == 0
    output = capsys.readouterr()
    provenance = "NIH and PadChest\tCC BY-NC 4.0: not for commercial use"
    size = sum(path.stat().st_size for path in (own_folder / "theirs").iterdir()) / 1e6
    assert output.out == (
        f"theirs\tTheirs\tEdema, Mass\t{provenance}\t{size:.1f} MB\tothers/model@{COMMIT}\n"
    )
    assert "0.1 of 0.1 MB received" in output.err
    assert [path.name for path in own_folder.iterdir()] == ["theirs"]
    loaded, original = hub.load("theirs"), create("vit_tiny", ("Edema", "Mass"), seed=70_000)
    assert loaded.spec.learned_from_real_films
    weights = original.backbone.state_dict()
    assert all(
        torch.equal(tensor, weights[name]) for name, tensor in loaded.backbone.state_dict().items()
    )  # random weights do not fit into 16 bits
    card = (own_folder / "theirs" / "README.md").read_text()
    assert "license: cc-by-nc-4.0" in card
    assert f"revision `{COMMIT}`" in card
    assert "Learned from: NIH and PadChest." in card
    assert main(["models"]) == 0
    assert capsys.readouterr().out == output.out


def test_of_an_offered_model_that_nobody_pinned_the_commit_that_was_taken_is_stated(
    own_folder: Path, offered: OfferedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own, "OFFERED", {"theirs": replace(offered, revision="")})
    assert own.add("theirs").parent == own_folder
    assert hub.load("theirs").spec.source == f"others/model@{COMMIT}"


def test_weights_that_fit_into_16_bits_are_stored_so(
    own_folder: Path, offered: OfferedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    for exact in (False, True):
        model = create("vit_tiny", ("Edema", "Mass"), seed=1)
        if exact:
            rounded = {name: tensor.half().float() for name, tensor in model.backbone.state_dict().items()}
            model.backbone.load_state_dict(rounded)
        monkeypatch.setattr(own, "OFFERED", {"theirs": replace(offered, load=MagicMock(return_value=model))})
        sizes.append((own.add("theirs") / "model.safetensors").stat().st_size)
        own.remove("theirs")
    assert sizes[1] < 0.55 * sizes[0]
    assert not own_folder.exists() or list(own_folder.iterdir()) == []


def test_a_download_that_broke_off_leaves_no_model_and_goes_on_later(
    own_folder: Path, offered: OfferedModel, fake_hub: Any
) -> None:
    fake_hub.breaks = [30_000] + [0] * 6
    with pytest.raises(InputError, match="what was received is kept"):
        own.add("theirs")
    assert hub.available() == {}
    assert own.add("theirs") == own_folder / "theirs"
    assert fake_hub.asked[-1] == "bytes=30000-"
    assert [path.name for path in own_folder.iterdir()] == ["theirs"]


def test_a_file_that_is_no_model_is_not_kept(
    own_folder: Path, offered: OfferedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> Any:
        raise InputError("This is no model.")

    monkeypatch.setattr(own, "OFFERED", {"theirs": replace(offered, load=refuse)})
    with pytest.raises(InputError, match="This is no model"):
        own.add("theirs")
    assert not own_folder.exists()


def test_a_model_is_added_once(own_folder: Path, offered: OfferedModel) -> None:
    own.add("theirs")
    with pytest.raises(
        InputError, match=r"There is a model theirs already, .*'cxrbench models remove theirs'"
    ):
        own.add("others/model")  # the repository's one offered model


def test_two_processes_do_not_add_the_same_model(own_folder: Path, offered: OfferedModel) -> None:
    (own_folder / ".downloads").mkdir(parents=True)
    lock = FileLock(own_folder / ".downloads" / "theirs.lock")
    with lock, pytest.raises(InputError, match="theirs is being added by another process"):
        own.add("theirs")
    assert own.add("theirs").is_dir()


def test_the_offered_models_are_listed_with_licence_and_size(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "offered"]) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines] == list(OFFERED)
    assert lines[0][3:] == ["Apache-2.0", "28 MB", "torchxrayvision/densenet121-res224-all"]


# Folders.


def test_a_folder_is_copied_and_found_by_its_name(
    own_folder: Path, saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (saved / "notes.txt").write_text("not part of the model")
    assert main(["models", "add", str(saved)]) == 0
    assert capsys.readouterr().out.startswith("small\tSmall\tEdema, Cardiomegaly\tunknown\tunknown\t")
    assert sorted(path.name for path in (own_folder / "small").iterdir()) == FILES
    assert hub.load("small").revision == hub.load(saved).revision


def test_a_folder_that_holds_no_model_is_refused(own_folder: Path, saved: Path, tmp_path: Path) -> None:
    (saved / "model.safetensors").write_bytes(b"\xff" * 64)
    for folder, sentence in (
        (saved, "damaged"),
        (tmp_path, "cannot be read"),
        (saved / FILES[0], "is a file"),
    ):
        with pytest.raises(InputError, match=sentence):
            own.add(str(folder))
    assert not own_folder.exists()


def test_what_is_nothing_of_all_is_said(own_folder: Path) -> None:
    with pytest.raises(InputError, match="neither an offered model nor a folder nor a repository"):
        own.add("nothing")


# Repositories that hold a model in this library's format.


def test_a_model_of_the_hub_is_found_by_its_name(
    own_folder: Path, saved: Path, fake_hub: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_hub.repositories["someone/repository"] = saved
    assert main(["models", "add", "someone/repository"]) == 0
    output = capsys.readouterr()
    assert output.out.startswith("small\tSmall\tEdema, Cardiomegaly\t")
    assert output.out.endswith(f"\tsomeone/repository@{COMMIT}\n")
    assert str(own_folder / "small") in output.err
    assert sorted(path.name for path in (own_folder / "small").iterdir()) == FILES
    assert hub.available() == {"small": own_folder / "small"}
    assert hub.load("small").revision == hub.load(saved).revision
    assert main(["models"]) == 0
    assert capsys.readouterr().out == output.out


def test_stored_predictions_come_along_where_the_repository_has_them(
    own_folder: Path, saved: Path, fake_hub: Any
) -> None:
    (saved / "predictions.csv").write_text("path,Edema,score Edema\na,1,0.5\n")
    (saved / "evaluation.json").unlink()
    fake_hub.repositories["someone/repository"] = saved
    assert main(["models", "add", f"someone/repository@{COMMIT}"]) == 0
    assert (own_folder / "small" / "predictions.csv").is_file()
    assert not (own_folder / "small" / "evaluation.json").exists()


def test_nothing_is_replaced(
    own_folder: Path, saved: Path, fake_hub: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_hub.repositories["someone/repository"] = saved
    (own_folder / "small").mkdir(parents=True)
    (own_folder / "small" / "thesis.tex").write_text("years of work")
    assert main(["models", "add", "someone/repository"]) == 2
    assert f"There is a model small already, in {own_folder / 'small'}; remove it" in capsys.readouterr().err
    assert (own_folder / "small" / "thesis.tex").read_text() == "years of work"
    hub.save(hub.load(saved), tmp_path / "assets" / "models" / "other")
    (own_folder / "small").rename(own_folder / "thesis")
    with pytest.raises(InputError, match=r"There is a model small already, in .*other"):
        own.add("someone/repository")


def test_a_model_that_does_not_load_is_not_kept(own_folder: Path, saved: Path, fake_hub: Any) -> None:
    (saved / "model.safetensors").write_bytes(b"\xff" * 64)
    fake_hub.repositories["someone/repository"] = saved
    with pytest.raises(InputError, match="damaged"):
        own.add("someone/repository")
    assert not own_folder.exists()


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("someone/nothing", "no public repository someone/nothing; check its name"),
        ("someone/empty", r"someone/empty has no file config\.json"),
        ("someone/repository@main", "give revision= the commit hash"),
        ("no such/name", "named owner/name; got 'no such/name'"),
    ],
)
def test_what_cannot_be_added_is_said_in_one_sentence(
    source: str,
    sentence: str,
    own_folder: Path,
    saved: Path,
    fake_hub: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake_hub.repositories |= {"someone/repository": saved, "someone/empty": tmp_path}
    assert main(["models", "add", source]) == 2
    error = capsys.readouterr().err
    assert re.search(sentence, error)
    assert error.count("\n") == 1
    assert not own_folder.exists()


@pytest.mark.usefixtures("hub_cache")
@pytest.mark.parametrize("source", ["someone/repository", f"someone/repository@{COMMIT}", *list(OFFERED)[:1]])
def test_without_a_network_the_sentence_names_cause_and_remedy(
    source: str, own_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "add", source]) == 2
    error = capsys.readouterr().err
    assert re.search(r"Hugging Face Hub.*connect to the network", error)
    assert error.count("\n") == 1
    assert not own_folder.exists()


def test_where_no_model_is_the_sentence_says_how_to_get_one(
    own_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(tmp_path / "film.png")]) == 2
    error = capsys.readouterr().err
    assert "No model is available. Add one with 'cxrbench models add NAME'" in error
    assert str(own_folder) in error


# Removal.


def test_own_models_are_removed_and_others_stay(
    own_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leave(tmp_path / "assets" / "models" / "first", "shipped")
    leave(own_folder / "second", "mine")
    leave(tmp_path / "runs" / "third" / "model", "trained")
    (own_folder / "damaged").mkdir()
    (own_folder / "damaged" / "config.json").write_text("{")
    for name in ("mine", "damaged"):
        assert main(["models", "remove", name]) == 0
    assert list(own_folder.iterdir()) == []
    capsys.readouterr()
    for name, sentence in (
        ("shipped", "ships with cxrbench and stays"),
        ("trained", rf"belongs to the training run in {re.escape(str(tmp_path / 'runs' / 'third'))}"),
        ("mine", "no model 'mine' to remove; added were: none"),
    ):
        assert main(["models", "remove", name]) == 2
        assert re.search(sentence, capsys.readouterr().err)
    assert list(hub.available()) == ["shipped", "trained"]


def test_a_folder_with_something_of_the_users_is_not_removed(own_folder: Path, tmp_path: Path) -> None:
    leave(own_folder / "mine", "mine")
    (own_folder / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match=r"also holds thesis\.tex, which may be yours"):
        own.remove("mine")
    assert (own_folder / "mine" / "thesis.tex").is_file()
    (own_folder / "mine" / "thesis.tex").unlink()
    (own_folder / "mine").rename(tmp_path / "elsewhere")
    (own_folder / "mine").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    own.remove("mine")
    assert list(own_folder.iterdir()) == []
    assert len(list((tmp_path / "elsewhere").iterdir())) == 3


# What is said of a model.


def test_what_a_model_learned_from_is_saved_with_it_and_older_folders_load(saved: Path) -> None:
    assert not hub.load(saved).spec.learned_from_real_films  # nothing is said
    model = hub.load(saved)
    model.spec = replace(model.spec, learned_from="phantoms", licence="Apache-2.0")
    hub.save(model, saved)
    assert json.loads((saved / "config.json").read_text())["learned_from"] == "phantoms"
    assert hub.load(saved).spec == model.spec
    assert not model.spec.learned_from_real_films
    with pytest.raises(InputError, match="learned_from must be"):
        replace(model.spec, learned_from="a\nb")


def test_the_shipped_models_say_that_they_learned_from_phantoms(root: Path) -> None:
    folders = sorted((root / "assets" / "models").iterdir())
    read: Callable[[Path], Any] = lambda folder: json.loads((folder / "config.json").read_text())  # noqa: E731
    assert len(folders) > 0
    assert {read(folder)["learned_from"] for folder in folders} == {"phantoms"}
