"""The Performance page: its controls, and its numbers against scikit-learn."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sklearn_metrics
from streamlit.testing.v1 import AppTest

from cxrbench.app import main
from cxrbench.app.performance import calibration, cases, tables, uploads
from cxrbench.app.performance.clicked_cell import KINDS
from cxrbench.app.performance.curve_data import curve_data
from cxrbench.app.performance.first_finding import median_auroc_finding
from cxrbench.app.performance.predictions import (
    SystemSelection,
    stored_predictions,
    systems,
    uploaded_predictions,
)
from cxrbench.compare import gallery
from cxrbench.errors import InputError
from cxrbench.evaluation import Predictions, compare, read_predictions
from cxrbench.models import ModelSpec
from cxrbench.models.folder import write_spec
from cxrbench.preprocess import Preprocessing

pytestmark = pytest.mark.usefixtures("plain_texts")

MAIN = Path(main.__file__)
# Before the first run Streamlit identifies a page by the name of its file.
PAGE = MAIN.parents[2] / "pages" / "performance.py"
PARTS = ("Curves", "All findings", "Paired comparison", "Calibration", "Groups", "Agreement", "Leaderboard")
LABELS = ("No Finding", "Edema", "Fracture", "Never")


def prediction_csv(seed: int, images: int = 240, *, about: bool = True) -> bytes:
    random, truth_of = np.random.default_rng(seed), np.random.default_rng(99)
    rows = np.arange(images)
    columns: dict[str, object] = {
        "path": [f"test/patient{row // 2:05d}/study{row % 2}/view1_frontal.png" for row in rows],
        "patient": [f"patient{row // 2:05d}" for row in rows],
    }
    if about:
        columns |= {
            "split": np.where(rows < images // 3, "valid", "test"),
            "sex": np.where(rows % 4 < 2, "F", "M"),
        }
        columns |= {
            "age": random.integers(20, 90, images),
            "projection": np.where(rows % 3 == 0, "PA", "AP"),
        }
    shares = (0.4, 0.3, 0.2, 0.0)
    truth = {
        label: (truth_of.random(images) < share) * 1 for label, share in zip(LABELS, shares, strict=True)
    }
    scores = {
        f"score {label}": (1 / (1 + np.exp(-(2 * present - 1 + random.normal(0, 1.2, images))))).round(4)
        for label, present in truth.items()
    }
    return pd.DataFrame({**columns, **truth, **scores}).to_csv(index=False).encode()


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as ``assets/`` with three models' predictions, their weights empty."""
    for seed, name in enumerate(("a", "b", "c")):
        folder = tmp_path / "models" / name
        folder.mkdir(parents=True)
        (folder / "predictions.csv").write_bytes(prediction_csv(seed))
        spec = ModelSpec(
            name, "vit_tiny", LABELS, Preprocessing(), (0.5,) * len(LABELS), f"Model {name.upper()}"
        )
        write_spec(folder / "config.json", spec)
        (folder / "model.safetensors").touch()
    monkeypatch.setenv("CXRBENCH_ASSETS", str(tmp_path))
    monkeypatch.setenv("CXRBENCH_MODELS", str(tmp_path / "own"))
    return tmp_path


@pytest.fixture
def page(models: Path) -> AppTest:
    return AppTest.from_file(str(MAIN), default_timeout=120).switch_page(str(PAGE))


@pytest.fixture(scope="module")
def predictions() -> dict[str, Predictions]:
    return {name: read_predictions(prediction_csv(seed), name) for seed, name in enumerate("abc")}


def selection(
    *models: str, ensembles: tuple[str, ...] = (), rule: str = "youden", split: str = "test"
) -> SystemSelection:
    return SystemSelection(models, ensembles, split, rule)


@pytest.mark.parametrize("part", PARTS)
def test_every_part_draws_for_three_models_and_two_ensembles(page: AppTest, part: str) -> None:
    page.query_params["performance_part"] = part
    page.session_state["judge_models"] = ["a", "b", "c"]
    page.session_state["judge_ensembles"] = ["ctp_mean", "ptc_majority"]
    page.session_state["judge_finding"] = "Edema"
    at = page.run()
    assert not at.exception
    assert "160 images of 80 patients. Edema:" in " ".join(caption.value for caption in at.caption)


def test_a_link_restores_models_finding_and_thresholds(page: AppTest) -> None:
    link = {"models": ["c", "a"], "finding": "Edema", "images": "valid", "thresholds": "half"}
    for name, value in link.items():
        page.query_params[name] = value
    at = page.run()
    assert not at.exception
    assert not at.warning
    assert at.session_state["judge_models"] == ["c", "a"]
    assert at.selectbox(key="judge_finding").value == "Edema"
    assert at.selectbox(key="judge_split").value == "valid"
    assert at.selectbox(key="judge_rule").value == "half"
    at.selectbox(key="judge_finding").select("Fracture").run()
    assert at.query_params["finding"] == "Fracture"
    assert at.query_params["models"] == ["a", "c"]  # in the order in which they are shown


def test_a_link_to_unknown_names_gives_one_warning(page: AppTest) -> None:
    for name, value in {"models": ["a", "nobody"], "finding": "Gout", "thresholds": "none"}.items():
        page.query_params[name] = value
    at = page.run()
    assert not at.exception
    assert "The link asks for nobody, Gout, none, which is not available." in at.warning[0].value
    assert at.session_state["judge_models"] == ["a"]
    assert not at.run().warning


def test_without_predictions_the_page_says_where_they_come_from(
    page: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(tmp_path / "none"))
    at = page.run()
    assert not at.exception
    assert "There are no predictions yet" in at.info[0].value


def test_stored_predictions_are_found_beside_models(models: Path) -> None:
    assert {name: entry.title for name, entry in stored_predictions().items()} == {
        "a": "Model A",
        "b": "Model B",
        "c": "Model C",
    }


def test_thresholds_are_fitted_on_validation_images_and_applied_to_test_images(
    predictions: dict[str, Predictions],
) -> None:
    (system,) = systems(predictions, selection("a", rule="best_f1"))
    assert len(system.shown) == 160
    assert len(system.fitted) == 80
    truth, scores = predictions["a"].targets[:80, 1], predictions["a"].scores[:80, 1]
    best = max(sklearn_metrics.f1_score(truth, scores >= cut) for cut in np.unique(scores))
    found = sklearn_metrics.f1_score(truth, scores >= system.thresholds[1])
    assert found == pytest.approx(best)
    np.testing.assert_array_equal(system.calls, system.shown.scores >= system.thresholds)


def test_an_ensemble_averages_the_scores_of_its_models(predictions: dict[str, Predictions]) -> None:
    found = systems(predictions, selection("a", "b", "c", ensembles=("ctp_mean", "ptc_all")))
    assert [system.name for system in found] == ["a", "b", "c", "ctp_mean", "ptc_all"]
    mean = np.mean([system.shown.scores for system in found[:3]], axis=0)
    np.testing.assert_allclose(found[3].shown.scores, mean, atol=1e-6)
    np.testing.assert_array_equal(found[4].calls, np.all([s.calls for s in found[:3]], axis=0))
    assert not found[4].graded


def test_the_title_of_an_ensemble_counts_the_models_that_it_combines(
    predictions: dict[str, Predictions],
) -> None:
    """Not one that is no longer chosen."""
    selected = replace(selection("a", "b", ensembles=("ctp_mean",)), members=("a", "b", "c"))
    assert systems(predictions, selected)[-1].title.endswith(" of 2")


def test_models_with_and_without_validation_images_are_evaluated_on_their_common_images(
    predictions: dict[str, Predictions],
) -> None:
    lone = read_predictions(prediction_csv(7, about=False), "lone")  # every image counts as one of "test"
    found = systems({**predictions, "lone": lone}, selection("a", "lone"))
    assert len(found[0].shown) == len(found[1].shown) == 160
    assert found[0].fitted is found[0].shown  # not both have validation images


def test_a_file_without_paths_can_be_shown_alone() -> None:
    text = (
        pd.read_csv(io.BytesIO(prediction_csv(0)))
        .drop(columns=["path", "patient", "split"])
        .to_csv(index=False)
    )
    lone = uploaded_predictions(text.encode(), "own.csv")
    (system,) = systems({"own.csv": lone}, selection("own.csv"))
    assert len(system.shown) == 240


def test_confusion_counts_at_every_step_of_the_slider_agree_with_the_scores(
    predictions: dict[str, Predictions],
) -> None:
    (system,) = systems(predictions, selection("a"))
    data = curve_data([system], "Edema", "youden")
    truth, scores = system.shown.targets[:, 1], system.shown.scores[:, 1].astype(np.float64)
    assert (data["positives"], data["negatives"]) == ((truth == 1).sum(), (truth == 0).sum())
    (drawn,) = data["systems"]
    for index in range(0, len(data["steps"]), 41):
        called = scores >= data["steps"][index]
        assert drawn["hits"][index] == (called & (truth == 1)).sum()
        assert drawn["alarms"][index] == (called & (truth == 0)).sum()
    assert drawn["threshold"] in data["steps"]
    assert max(len(drawn[kind]["x"]) for kind in ("roc", "pr")) <= 2000
    assert json.dumps(data, allow_nan=False)


def test_the_table_agrees_with_scikit_learn_and_leaves_undefined_metrics_empty(
    predictions: dict[str, Predictions],
) -> None:
    found = systems(predictions, selection("a", "b"))
    table = tables.metrics_table(found, ("auroc", "f1", "sensitivity"))
    assert len(table) == 2 * len(LABELS)
    for row in table.itertuples(index=False):
        if row.finding == "Never":
            assert np.isnan(float(str(row.AUROC)))
            assert row[2] == 0  # n+
            continue
        system = found[0 if row.system == found[0].title else 1]
        column = LABELS.index(row.finding)
        truth, scores = system.shown.targets[:, column], system.shown.scores[:, column]
        assert pytest.approx(sklearn_metrics.roc_auc_score(truth, scores)) == row.AUROC
        assert pytest.approx(sklearn_metrics.f1_score(truth, system.calls[:, column])) == row.F1


def test_delong_p_values_are_near_those_of_the_paired_bootstrap(predictions: dict[str, Predictions]) -> None:
    first, second = systems(predictions, selection("a", "b"))
    opinions = tables.delong_p_values(first, second)
    assert np.isnan(opinions[LABELS.index("Never")])
    found = compare((first.shown, first.thresholds), (second.shown, second.thresholds), "auroc")
    for opinion, p in zip(opinions[:3], found.p[:3], strict=True):
        assert 0 <= opinion <= 1
        assert abs(opinion - p) < 0.15  # two patients' images are nearly independent here


def test_a_vote_is_evaluated_by_its_decisions(predictions: dict[str, Predictions]) -> None:
    found = systems(predictions, selection("a", "b", "c", ensembles=("ptc_mode",)))
    table = tables.metrics_table(found[3:], ("f1",))
    truth = found[3].shown.targets[:, 1]
    wanted = sklearn_metrics.f1_score(truth, found[3].calls[:, 1])
    assert table[table["finding"] == "Edema"]["F1"].iloc[0] == pytest.approx(wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_of_the_confusion_matrix_lists_as_many_images_as_it_counts(
    predictions: dict[str, Predictions], kind: str
) -> None:
    (system,) = systems(predictions, selection("a"))
    data = curve_data([system], "Edema", "youden")
    at = 300
    drawn = data["systems"][0]
    counts = {"hits": drawn["hits"][at], "alarms": drawn["alarms"][at]}
    counts |= {
        "misses": data["positives"] - counts["hits"],
        "rejections": data["negatives"] - counts["alarms"],
    }
    listed = cases.case_table(system, "Edema", kind, data["steps"][at])
    assert len(listed) == counts[kind]
    surest = listed["score"].to_numpy()
    assert (np.diff(surest) <= 0).all() if kind in ("hits", "alarms") else (np.diff(surest) >= 0).all()


def test_a_clicked_count_lists_its_cases_below(page: AppTest) -> None:
    page.session_state["judge_finding"] = "Edema"
    page.query_params["cell"] = ["misses", "a", "0.5", "Edema"]
    at = page.run()
    assert not at.exception
    assert "Model A, Edema at threshold 0.5: false negatives: present, predicted absent" in at.header[0].value
    assert "present in truth" in at.dataframe[0].value


def test_the_address_holds_the_cell_whose_images_are_listed(page: AppTest) -> None:
    page.query_params["finding"] = "Edema"
    page.query_params["cell"] = cell = ["misses", "a", "0.5", "Edema"]
    at = page.run()
    assert not at.warning
    at.selectbox(key="judge_rule").select("half").run()  # writes the address
    assert at.query_params["cell"] == cell
    at.session_state["judge_cell"] = ["hits", "b", "0.25", "Edema"]  # as a click leaves it
    at.run()
    assert at.query_params["cell"] == ["hits", "b", "0.25", "Edema"]
    assert "Model B, Edema at threshold 0.25: true positives" in at.header[0].value
    del at.query_params["cell"]  # Back, to the state before any click
    assert not at.run().header


@pytest.mark.parametrize(
    "cell",
    [
        ["misses", "nobody", "0.5", "Edema"],
        ["<b>", "a", "0.5", "Edema"],
        ["misses", "a", "much", "Edema"],
        ["misses", "a", "0.5", "Gout"],
        ["misses"],
    ],
)
def test_a_cell_that_is_not_there_is_said_and_lists_nothing(page: AppTest, cell: list[str]) -> None:
    page.query_params["cell"] = cell
    at = page.run()
    assert not at.exception
    assert not at.header
    assert "which is not available" in at.warning[0].value


def test_the_first_films_of_a_cell_are_shared_as_a_case_list(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cases, "shipped_paths", lambda paths, truth, labels: list(paths))
    page.query_params["cell"] = ["rejections", "a", "0.5", "Edema"]
    page.session_state["share_rejections"] = True
    at = page.run()
    assert not at.exception
    (link,) = [code.value for code in at.code if "list=" in code.value]
    assert link.startswith("compare?list=test/patient")
    assert link.endswith("&findings=Edema")
    named = [part.removeprefix("list=") for part in link.split("?")[1].split("&") if "list=" in part]
    assert len(named) == 12
    rows = at.dataframe[0].value["Compare"][:12]
    assert all(f"film={name.replace('/', '%2F')}&" in row for name, row in zip(named, rows, strict=True))


def test_a_case_of_the_gallery_links_to_its_heat_maps(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    study = "test/patient00050/study1/view1_frontal.png"
    known = gallery.Case("fluid", "Some fluid", "", "PA", ("Edema",), study)
    monkeypatch.setattr(gallery, "cases", lambda: (known,))
    monkeypatch.setattr(gallery, "models", lambda: {"a": "Model A"})
    page.session_state["judge_finding"] = "Edema"
    for name in KINDS:  # it is behind one of the four counts
        page.session_state["judge_cell"] = [name, "a", "0.5", "Edema"]
        at = page.run()
        assert not at.exception
        links = [text.value for text in at.markdown if "Some fluid" in text.value]
        if links:
            break
    # A link of Markdown opens in a tab of its own, and leaves this page's address as it is.
    assert links == [":material/compare: [Some fluid](compare?case=fluid&models=a&findings=Edema)"]


def test_a_calibration_is_fitted_on_the_validation_images(predictions: dict[str, Predictions]) -> None:
    (system,) = systems(predictions, selection("a"))
    truth, plain, _ = calibration.calibrated(system, "Edema", "as they are")
    _, calibrated, row = calibration.calibrated(system, "Edema", "platt")
    np.testing.assert_array_equal(plain, system.shown.scores[:, 1])
    assert sklearn_metrics.brier_score_loss(truth, calibrated) == pytest.approx(row["Brier"], abs=1e-6)
    assert row["Brier low"] <= row["Brier"] <= row["Brier high"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace(b"score ", b"s "), "rename the columns"),
        (lambda text: text[:-8] + b"\n", "entries are missing, or the file was cut"),
        (lambda text: text.replace(b",0.", b",7."), "expected a score from 0 to 1, got"),
        (lambda text: b"", "empty"),
        (lambda text: b"\x89PNG\r\n\x1a\n\x00\x01", "expected"),
    ],
)
def test_an_invalid_file_gives_a_message_that_says_why(change: Callable[..., Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        uploaded_predictions(change(prediction_csv(0)), "own.csv")


def test_every_rule_is_explained_beside_its_menu(page: AppTest) -> None:
    at = page.run()
    assert "The largest sensitivity + specificity" in at.selectbox(key="judge_rule").help


def captions(at: AppTest) -> str:
    return " ".join(caption.value for caption in at.caption)


def upload(at: AppTest, *files: tuple[str, bytes]) -> AppTest:
    for name, data in files:
        at.file_uploader(key="own_predictions").upload(name, data, "text/csv")
    at = at.run()
    assert not at.exception
    return at


def options(at: AppTest, key: str) -> list[str]:
    return list(at.button_group(key=key).options)


def test_two_uploads_of_one_name_are_both_listed(page: AppTest) -> None:
    at = upload(page.run(), ("predictions.csv", prediction_csv(7)), ("predictions.csv", prediction_csv(8)))
    assert options(at, "judge_models")[:2] == ["predictions.csv", "predictions.csv (2)"]
    assert at.session_state["judge_models"][:2] == ["predictions.csv", "predictions.csv (2)"]
    assert uploads.unique_names(["a", "a", "a (2)", "b"], ["b"]) == ["a", "a (2)", "a (2) (2)", "b (2)"]


def test_a_changed_file_of_the_same_name_is_read_again(page: AppTest) -> None:
    first = upload(page.run(), ("mine.csv", prediction_csv(7)))
    assert "160 images" in captions(first)
    first.file_uploader(key="own_predictions").set_value([])
    again = upload(first, ("mine.csv", prediction_csv(7, images=120)))
    assert "80 images" in captions(again)


def test_an_own_file_joins_the_models_of_the_same_images(page: AppTest) -> None:
    at = upload(page.run(), ("mine.csv", prediction_csv(7)))
    assert options(at, "judge_models") == ["mine.csv", "Model A", "Model B", "Model C"]
    assert at.session_state["judge_models"] == ["mine.csv", "a", "b"]
    assert "Not shown" not in captions(at)
    assert "mine.csv" not in "".join(at.query_params.get("models", []))  # a link cannot restore it


def test_a_note_says_why_stored_models_are_not_compared(page: AppTest) -> None:
    table = pd.read_csv(io.BytesIO(prediction_csv(7)))
    page = upload(
        page.run(), ("other.csv", table.assign(path=table["path"] + "x").to_csv(index=False).encode())
    )
    assert options(page, "judge_models") == ["other.csv"]
    assert (
        "Not compared with your file: the models of this workbench. other.csv and Model A have no image"
        in captions(page)
    )
    page.file_uploader(key="own_predictions").set_value([])
    page = upload(page, ("bare.csv", table.drop(columns="path").to_csv(index=False).encode()))
    assert "bare.csv has no column path, which is needed to match images" in captions(page)


def test_a_file_without_patients_says_that_every_image_counts_as_one(page: AppTest) -> None:
    table = pd.read_csv(io.BytesIO(prediction_csv(7)))
    at = upload(page.run(), ("mine.csv", table.drop(columns="patient").to_csv(index=False).encode()))
    assert "mine.csv: there is no column 'patient', so each image counts as a patient of its own" in captions(
        at
    )
    table.loc[:4, "patient"] = None
    (note,) = uploads.notes([uploaded_predictions(table.to_csv(index=False).encode(), "mine.csv")])
    assert "5 rows name no patient" in note
    assert uploads.notes([uploaded_predictions(prediction_csv(7), "mine.csv")]) == []


def test_the_sample_file_can_be_opened_and_joins_the_models(
    page: AppTest, predictions: dict[str, Predictions]
) -> None:
    at = upload(page.run(), ("sample.csv", uploads.sample_csv(predictions["a"])))
    assert options(at, "judge_models")[0] == "sample.csv"
    assert len(options(at, "judge_models")) == 4


def test_one_file_that_cannot_be_read_does_not_hide_the_others(page: AppTest) -> None:
    at = upload(page.run(), ("wrong.csv", b"Edema,score Edema\n1,1.7\n"), ("mine.csv", prediction_csv(7)))
    assert "expected a score from 0 to 1, got" in at.error[0].value
    assert options(at, "judge_models")[0] == "mine.csv"


def test_the_page_opens_with_the_finding_of_median_auroc(
    page: AppTest, predictions: dict[str, Predictions]
) -> None:
    (system,) = systems(predictions, selection("a"))
    truth, scores = system.shown.targets, system.shown.scores
    areas = {
        label: sklearn_metrics.roc_auc_score(truth[:, i], scores[:, i])
        for i, label in enumerate(LABELS)
        if label in ("Edema", "Fracture")
    }
    assert median_auroc_finding(system) == min(areas, key=lambda label: areas[label])
    assert page.run().selectbox(key="judge_finding").value == median_auroc_finding(system)


def test_an_ensemble_leaves_the_shortcut_model_out_unless_it_is_chosen(page: AppTest, models: Path) -> None:
    (models / "models" / "c" / "evaluation.json").write_text(json.dumps({"shortcut": {"kind": "hospital"}}))
    page.session_state["judge_models"] = ["a", "b", "c"]
    at = page.run()
    assert "Ensemble of Model A, Model B. Excluded: Model C, trained on a planted shortcut." in captions(at)
    at.button_group(key="judge_members").set_value(["a", "b", "c"]).run()
    assert not at.exception
    assert "Ensemble of Model A, Model B, Model C." in captions(at)
    assert at.query_params["members"] == ["a", "b", "c"]
    at.button_group(key="judge_members").set_value(["c"]).run()
    assert "No ensemble: select at least two models" in captions(at)


def test_a_model_that_is_added_joins_the_ensemble(page: AppTest) -> None:
    at = page.run()
    at.button_group(key="judge_models").set_value(["a", "b", "c"]).run()
    assert "Ensemble of Model A, Model B, Model C." in captions(at)


def test_going_back_to_an_earlier_url_restores_its_state(page: AppTest) -> None:
    at = page.run()
    opened = at.selectbox(key="judge_finding").value
    assert not at.query_params  # the initial state adds no entry to the browser's history
    at.selectbox(key="judge_finding").select("No Finding").run()
    at.button_group(key="judge_ensembles").set_value([]).run()
    last = dict(at.query_params)
    assert last["ensembles"] == "none"
    at.query_params.clear()
    at.run()
    assert at.selectbox(key="judge_finding").value == opened
    assert at.session_state["judge_ensembles"] == ["ctp_mean"]
    for name, values in last.items():
        at.query_params[name] = values
    at.run()
    assert at.selectbox(key="judge_finding").value == "No Finding"
    assert at.session_state["judge_ensembles"] == []
    assert not at.warning


@pytest.mark.parametrize(
    ("earlier", "part"), [("Two compared", "Paired comparison"), ("Who is best?", "Leaderboard")]
)
def test_a_link_to_a_part_by_its_earlier_name_opens_it(page: AppTest, earlier: str, part: str) -> None:
    page.query_params["performance_part"] = part
    shown = [caption.value for caption in page.run().caption]
    again = AppTest.from_file(str(MAIN), default_timeout=120).switch_page(str(PAGE))
    again.query_params["performance_part"] = earlier
    assert [caption.value for caption in again.run().caption] == shown
    assert not again.exception
