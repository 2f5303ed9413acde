import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from cxrbench.errors import InputError
from cxrbench.models import ARCHITECTURES, Classifier, create, hub
from cxrbench.models.folder import fit

LABELS = ("Cardiomegaly", "Edema", "Pleural Effusion")
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def model() -> Classifier:
    return create("vit_tiny", LABELS, name="small", title="A small one", thresholds=(0.1, 0.2, 0.3), seed=1)


@pytest.fixture
def saved(model: Classifier, tmp_path: Path) -> Path:
    return hub.save(model, tmp_path / "small")


def edit(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def edit_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    state = load_file(folder / "model.safetensors")
    change(state)
    save_file(state, folder / "model.safetensors")


# What is written.


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_what_is_saved_loads_as_the_same_model(
    name: str, tmp_path: Path, classifier: Callable[[str], Classifier]
) -> None:
    original = classifier(name)
    loaded = hub.load(hub.save(original, tmp_path / "m", half=False))
    assert loaded.spec == original.spec
    expected = original.state_dict()
    assert loaded.state_dict().keys() == expected.keys()
    assert all(torch.equal(tensor, expected[key]) for key, tensor in loaded.state_dict().items())


def test_a_loaded_model_is_frozen_and_in_eval_mode_and_knows_its_revision(saved: Path) -> None:
    loaded = hub.load(saved)
    assert not any(module.training for module in loaded.modules())
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    assert all(tensor.dtype == torch.float32 for tensor in loaded.parameters())
    assert len(loaded.revision) == 12
    edit_weights(saved, lambda state: state["head.bias"].add_(1))
    assert hub.load(saved).revision != loaded.revision


def test_half_precision_halves_the_file_and_hardly_moves_a_logit(model: Classifier, tmp_path: Path) -> None:
    half = hub.save(model, tmp_path / "half") / "model.safetensors"
    full = hub.save(model, tmp_path / "full", half=False) / "model.safetensors"
    assert half.stat().st_size < 0.55 * full.stat().st_size
    image = torch.rand(1, 1, 224, 224)
    with torch.no_grad():
        torch.testing.assert_close(hub.load(half.parent)(image), model(image), atol=5e-3, rtol=0)


def test_what_half_precision_would_ruin_keeps_single(tmp_path: Path) -> None:
    extreme = create("resnet50", LABELS)
    weights = extreme.backbone.state_dict()
    with torch.no_grad():
        weights["fc.weight"][0, 0] = 1e6
        weights["bn1.running_var"][:] = 1e-9
    loaded = hub.load(hub.save(extreme, tmp_path / "m")).backbone.state_dict()
    assert torch.equal(loaded["fc.weight"], weights["fc.weight"])
    assert torch.equal(loaded["bn1.running_var"], weights["bn1.running_var"])


def test_the_folder_holds_four_files_that_say_what_they_are(model: Classifier, tmp_path: Path) -> None:
    figures = {"dataset": 'phantom: "test"', "auroc": {"Cardiomegaly": 0.91234, "Edema": None}}
    folder = hub.save(model, tmp_path / "m", evaluation=figures, card="Trained on phantoms.")
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ("config.json", "model.safetensors", "README.md", "evaluation.json")
    )
    assert hub.evaluation(folder) == figures
    config = json.loads((folder / "config.json").read_text())
    assert config["format"] == 1
    assert {"cxrbench", "torch", "timm"} <= config["versions"].keys()
    _, front, text = (folder / "README.md").read_text().split("---\n", 2)
    card = yaml.safe_load(front)
    assert card["library_name"] == "cxrbench"
    assert card["pipeline_tag"] == "image-classification"
    assert card["license"] == "apache-2.0"
    assert card["datasets"] == ['phantom: "test"']
    metrics = card["model-index"][0]["results"][0]["metrics"]
    assert metrics == [{"name": "AUROC Cardiomegaly", "type": "roc_auc", "value": 0.9123}]
    assert "Not for clinical use" in text
    assert "Trained on phantoms." in text
    assert "| Edema | 0.2 | – |" in text


def test_the_hubs_own_reader_accepts_the_card(model: Classifier, tmp_path: Path) -> None:
    from huggingface_hub import ModelCard

    folder = hub.save(model, tmp_path / "m", evaluation={"dataset": "phantom", "auroc": {"Edema": 0.7}})
    card = ModelCard.load(folder / "README.md")
    assert card.data.eval_results[0].metric_value == 0.7


def test_no_name_breaks_out_of_the_cards_metadata(model: Classifier, tmp_path: Path) -> None:
    from huggingface_hub import ModelCard

    names = ["a\n---\nlicense: mit", "yes", "# no: {comment}", "Épanchement"]
    for dataset in names:
        figures = {"dataset": dataset, "license": "other\n---", "auroc": dict.fromkeys(names, 0.5)}
        folder = hub.save(model, tmp_path / "m", evaluation=figures)
        data = ModelCard.load(folder / "README.md").data
        assert data.datasets == [dataset]
        assert data.license == "other\n---"
        assert [one.metric_name for one in data.eval_results] == [f"AUROC {name}" for name in names]
        assert {one.dataset_name for one in data.eval_results} == {dataset}


def test_saving_again_replaces_the_model_and_leaves_no_scrap(model: Classifier, saved: Path) -> None:
    hub.save(create("vit_tiny", LABELS, name="other"), saved)
    assert hub.load(saved).spec.name == "other"
    assert [path.name for path in saved.parent.iterdir()] == ["small"]


def test_every_file_can_be_read_by_others(saved: Path) -> None:
    umask = os.umask(0)
    os.umask(umask)
    assert {path.stat().st_mode & 0o777 for path in saved.iterdir()} == {0o666 & ~umask}


def test_predictions_of_the_weights_before_do_not_stay(model: Classifier, saved: Path) -> None:
    (saved / "predictions.csv").write_text("of the weights before")
    assert not (hub.save(model, saved) / "predictions.csv").exists()


def test_a_save_that_fails_leaves_the_old_model(model: Classifier, saved: Path) -> None:
    with pytest.raises(InputError, match="plain JSON"):
        hub.save(model, saved, evaluation={"auroc": {"Edema": float("nan")}})
    with pytest.raises(InputError, match="plain JSON"):
        hub.save(model, saved, evaluation={"auroc": np.zeros(3)})
    assert hub.load(saved).spec == model.spec
    assert [path.name for path in saved.parent.iterdir()] == ["small"]


def test_a_folder_with_other_files_is_not_replaced(model: Classifier, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match=r"thesis\.tex.*another folder"):
        hub.save(model, tmp_path)
    with pytest.raises(InputError, match="is a file"):
        hub.save(model, tmp_path / "thesis.tex")
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


# What is refused.


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda f: (f / "config.json").unlink(), "cannot be read"),
        (lambda f: (f / "config.json").write_text("{"), "not JSON"),
        (lambda f: (f / "config.json").write_bytes(b"\xff\xfe"), "not JSON"),
        (lambda f: (f / "config.json").write_text("[" * 100_000), "not JSON"),
        (lambda f: (f / "config.json").write_text("[]"), "does not describe"),
        (lambda f: (f / "config.json").write_text(" " * 2**21), "larger than 1 MiB"),
        (lambda f: edit(f, library="other"), "does not describe"),
        (lambda f: edit(f, format=2), "update cxrbench"),
        (lambda f: edit(f, format="1"), "update cxrbench"),
        (lambda f: edit(f, architecture="resnet9000"), "Unknown architecture"),
        (lambda f: edit(f, architecture=["resnet50"]), "'architecture' must be a str"),
        (lambda f: edit(f, name="../../etc/passwd"), "name must be"),
        (lambda f: edit(f, labels=["Edema"] * 3), "same finding"),
        (lambda f: edit(f, labels=[{}, [], 3]), "label must be"),
        (lambda f: edit(f, thresholds=[0.5]), "one threshold per label"),
        (lambda f: edit(f, preprocessing={"size": 224}), "another version"),
        (lambda f: edit(f, preprocessing=[]), "'preprocessing' must be a dict"),
        (lambda f: (f / "model.safetensors").unlink(), "is missing"),
        (lambda f: (f / "model.safetensors").write_bytes(b""), "damaged"),
        (lambda f: (f / "model.safetensors").write_bytes(b"\xff" * 64), "damaged"),
        (lambda f: (f / "model.safetensors").write_bytes(b"version https://git-lfs.x/v1\n"), "git lfs pull"),
        (lambda f: os.truncate(f / "model.safetensors", 100_000), "damaged"),
    ],
)
def test_a_damaged_folder_is_refused_with_one_sentence(
    damage: Callable[[Path], None], sentence: str, saved: Path
) -> None:
    damage(saved)
    with pytest.raises(InputError, match=sentence) as caught:
        hub.load(saved)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s: s.pop("norm.weight"), r"1 missing \(norm\.weight\)"),
        (lambda s: [s.pop(k) for k in list(s) if "blocks.3" in k], r"12 missing \(.*, …\)"),
        (lambda s: s.update(extra=torch.ones(1)), r"1 unknown \(extra\)"),
        (lambda s: s.update({"head.bias": torch.ones(4)}), r"head\.bias \(4,\) instead of \(3,\)"),
        (lambda s: s.update({"head.bias": torch.ones(3).int()}), r"torch\.int32 instead of torch\.float32"),
        (lambda s: s["head.bias"].fill_(float("nan")), r"1 not finite \(head\.bias\)"),
        (lambda s: [s.update({f"module.{k}": s.pop(k)}) for k in list(s)], "152 missing.*152 unknown"),
    ],
)
def test_a_state_dict_that_is_not_whole_is_refused_by_its_keys(
    change: Callable[[dict[str, torch.Tensor]], object], sentence: str, saved: Path
) -> None:
    edit_weights(saved, change)
    with pytest.raises(InputError, match=sentence):
        hub.load(saved)


def test_a_refused_state_dict_changes_nothing(model: Classifier) -> None:
    target = create("vit_tiny", LABELS, seed=5).backbone
    before = {key: tensor.clone() for key, tensor in target.state_dict().items()}
    state = dict(model.backbone.state_dict())
    del state["head.bias"]
    with pytest.raises(InputError, match="partial load"):
        fit(state, target, "here")
    assert all(torch.equal(before[key], tensor) for key, tensor in target.state_dict().items())


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., None], tuple[Path]]:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("name", ["model.pt", "pytorch_model.bin", "model.safetensors", "config.json"])
def test_a_pickle_is_never_opened(name: str, saved: Path, tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    (saved / "model.safetensors").unlink()
    (saved / name).write_bytes(pickle.dumps(Bomb(touched)))
    with pytest.raises(InputError, match=r"pickle|damaged|not JSON"):
        hub.load(saved)
    with pytest.raises(InputError, match=r"pickle|saved model is a folder"):
        hub.load(saved / name)
    assert not touched.exists()
    pickle.loads((saved / name).read_bytes())
    assert touched.exists()  # it would have


# Where models are found.


@pytest.fixture
def shelf(model: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(tmp_path / "assets"))
    monkeypatch.setenv("CXRBENCH_MODELS", str(tmp_path / "mine"))
    hub.save(model, tmp_path / "assets" / "models" / "small")
    hub.save(create("vit_tiny", LABELS, name="second"), tmp_path / "mine" / "another-name")
    return tmp_path / "mine"


def test_models_are_found_by_the_name_they_have(shelf: Path) -> None:
    assert list(hub.available()) == ["small", "second"]
    assert hub.load("second").spec.name == "second"


def test_a_broken_model_is_listed_with_its_problem_and_hides_no_other(model: Classifier, shelf: Path) -> None:
    (shelf / "empty").mkdir()
    (shelf / "notes.txt").write_text("not a model")
    (shelf / ".cache").mkdir()
    (hub.save(model, shelf / "unweighted") / "model.safetensors").unlink()
    hub.save(model, shelf / "twin")
    assert list(hub.available()) == ["small", "second"]
    problems = {entry.folder.name: entry.problem for entry in hub.scan() if entry.problem}
    assert problems.keys() == {"empty", "unweighted", "twin"}
    assert "cannot be read" in problems["empty"]
    assert "missing" in problems["unweighted"]
    assert "already exists in" in problems["twin"]


def test_without_any_folder_there_is_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(tmp_path / "nowhere"))
    monkeypatch.setenv("CXRBENCH_MODELS", str(tmp_path / "own"))
    assert hub.available() == {}
    with pytest.raises(InputError, match=r"no model 'resnet'.*\(none\)"):
        hub.load("resnet")


# To and from the Hugging Face Hub.


def test_a_pinned_repository_loads_from_the_cache_without_network(
    model: Classifier, saved: Path, place: Callable[..., Path]
) -> None:
    for file in saved.iterdir():
        folder = place("someone/small", file.name, file, revision=COMMIT).parent
    loaded = hub.load("someone/small", revision=COMMIT)
    assert loaded.spec == model.spec
    assert hub.pull("someone/small", revision=COMMIT) == folder


def test_the_card_of_a_repository_may_be_missing_its_weights_may_not(
    saved: Path, place: Callable[..., Path]
) -> None:
    place("someone/small", "config.json", saved / "config.json", revision=COMMIT)
    with pytest.raises(
        InputError, match=r"model\.safetensors of someone/small is neither in the local cache"
    ):
        hub.load("someone/small", revision=COMMIT)
    place("someone/small", "model.safetensors", saved / "model.safetensors", revision=COMMIT)
    assert hub.load("someone/small", revision=COMMIT).spec.name == "small"


@pytest.mark.usefixtures("hub_cache")
@pytest.mark.parametrize("revision", [None, "main", "v1.0", COMMIT[:7], COMMIT.upper(), f"../{COMMIT}"])
def test_a_repository_must_be_pinned_to_a_commit(revision: str | None) -> None:
    with pytest.raises(InputError, match="commit hash"):
        hub.load("someone/small", revision=revision)


@pytest.mark.usefixtures("hub_cache")
@pytest.mark.parametrize("source", ["no such/name", "../up", "a/b/c", "/nowhere/model"])
def test_what_is_neither_folder_nor_repository_is_refused(source: str) -> None:
    with pytest.raises(InputError, match=r"owner/name|no model"):
        hub.load(source, revision=COMMIT)


class FakeApi:
    """The part of the Hub's client that a push needs; keeps what was sent."""

    calls: list[tuple[object, ...]] = []  # noqa: RUF012

    def create_repo(self, name: str, *, private: bool, exist_ok: bool) -> None:
        self.calls.append((name, private, exist_ok))

    def upload_folder(
        self, *, repo_id: str, folder_path: Path, allow_patterns: list[str], **_: str
    ) -> object:
        sent = sorted(path.name for path in Path(folder_path).iterdir() if path.name in allow_patterns)
        self.calls.append((repo_id, sent))
        return SimpleNamespace(oid=COMMIT)


def test_a_push_sends_the_four_files_and_returns_the_commit(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeApi, "calls", [])
    monkeypatch.setattr(hub, "HfApi", FakeApi)
    (saved / "secret.txt").write_text("stays here")
    assert hub.push(saved, "someone/small") == COMMIT
    files = ["README.md", "config.json", "evaluation.json", "model.safetensors"]
    assert FakeApi.calls == [("someone/small", True, True), ("someone/small", files)]


def test_what_does_not_load_is_not_pushed(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeApi, "calls", [])
    monkeypatch.setattr(hub, "HfApi", FakeApi)
    edit_weights(saved, lambda state: state.pop("norm.weight"))
    with pytest.raises(InputError, match="missing"):
        hub.push(saved, "someone/small")
    assert FakeApi.calls == []


def test_a_push_that_the_hub_refuses_says_why(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing(FakeApi):
        def create_repo(self, *_: object, **__: object) -> None:
            raise OSError("401 Unauthorized\nlong trace")

    monkeypatch.setattr(hub, "HfApi", Refusing)
    with pytest.raises(InputError, match=r"upload to someone/small failed .*401 Unauthorized\); log in"):
        hub.push(saved, "someone/small")
