import numpy as np
import pandas as pd
import pytest

from cxrbench.errors import InputError
from cxrbench.evaluation import (
    ABOUT,
    Predictions,
    System,
    at_thresholds,
    decisions,
    fit_systems,
    measure,
    operating_points,
    ranked,
    row,
)
from cxrbench.inference import ENSEMBLES, THRESHOLDS
from cxrbench.metrics import auroc, balanced_accuracy, f1, hamming_loss


def made(name: str, seed: int, images: int = 400) -> Predictions:
    targets = (np.random.default_rng(0).random((images, 4)) < [0.4, 0.2, 0.1, 0.05]).astype(np.float32)
    noise = np.random.default_rng(seed).normal(size=targets.shape)
    table = pd.DataFrame({column: [""] * images for column in ABOUT})
    table["path"] = table["patient"] = [f"p{i}" for i in range(images)]
    table["split"] = np.where(np.arange(images) < 150, "valid", "test")
    table["age"] = np.nan
    scores = (1 / (1 + np.exp(1 - 2 * targets - noise))).astype(np.float32)
    return Predictions(table, tuple("ABCD"), targets, scores, name)


@pytest.fixture(scope="module")
def models() -> dict[str, Predictions]:
    return {name: made(name, seed) for seed, name in enumerate(("one", "two", "three"), 1)}


@pytest.fixture(scope="module")
def systems(models: dict[str, Predictions]) -> list[System]:
    return fit_systems(models)


def test_models_come_first_then_every_ensemble(systems: list[System]) -> None:
    assert [one.name for one in systems] == ["one", "two", "three", *ENSEMBLES]
    assert [one.ensemble for one in systems] == [False] * 3 + [True] * len(ENSEMBLES)
    assert all(one.calls.shape == (250, 4) for one in systems)
    assert all(set(one.shown.table["split"]) == {"test"} for one in systems)
    assert len(fit_systems({"one": made("one", 1)})) == 1


def test_a_row_holds_the_metrics_of_its_answers(systems: list[System]) -> None:
    for one in systems:
        figures, truth = row(one), one.shown.targets
        assert figures.auroc == pytest.approx(np.nanmean(auroc(truth, one.shown.scores)))
        assert figures.auroc_of_calls == pytest.approx(np.nanmean(balanced_accuracy(truth, one.calls)))
        assert figures.f1 == pytest.approx(np.nanmean(f1(truth, one.calls)))
        assert figures.hamming_loss == pytest.approx(hamming_loss(truth, one.calls).mean())


def test_combined_scores_beat_each_model_and_the_votes_alone_rank_worse(systems: list[System]) -> None:
    rows = {one.name: row(one) for one in systems}
    best = max(rows[name].auroc for name in ("one", "two", "three"))
    assert rows["ctp_mean"].auroc > best
    assert rows["ptc_mode"].auroc < rows["ctp_mean"].auroc


def test_the_first_by_each_figure_is_the_best_row(systems: list[System]) -> None:
    rows = [row(one) for one in systems]
    first = ranked(rows)
    by_title = {one.title: one for one in rows}
    assert by_title[first["hamming_loss"]].hamming_loss == min(one.hamming_loss for one in rows)
    assert by_title[first["auroc"]].auroc == max(one.auroc for one in rows)


def test_thresholds_come_from_the_validation_images_and_calls_from_the_others(
    models: dict[str, Predictions],
) -> None:
    for system, model in zip(fit_systems(models, rule="best_f1"), models.values(), strict=False):
        validation = model.split("valid")
        expected = THRESHOLDS["best_f1"].fit(validation.targets, validation.scores)
        np.testing.assert_array_equal(system.thresholds, expected)
        np.testing.assert_array_equal(system.calls, model.split("test").scores >= expected)


def test_ensembles_combine_the_chosen_models_only(models: dict[str, Predictions]) -> None:
    found = fit_systems(models, ensembles=("ctp_mean",), members=("one", "three"))
    assert [system.name for system in found] == ["one", "two", "three", "ctp_mean"]
    mean = (found[0].shown.scores + found[2].shown.scores) / 2
    np.testing.assert_allclose(found[3].shown.scores, mean, atol=1e-6)
    assert len(fit_systems(models, members=("one",))) == 3


def test_the_metrics_of_a_vote_are_those_of_its_decisions(models: dict[str, Predictions]) -> None:
    vote = fit_systems(models, ensembles=("ptc_mode",))[-1]
    found = measure(decisions(vote), operating_points(vote), ("f1",), count=5)
    np.testing.assert_allclose(found["f1"].estimate, f1(vote.shown.targets, vote.calls))


def test_thresholds_are_not_fitted_on_the_evaluated_images_unless_this_is_chosen() -> None:
    alone = {"one": made("one", 1).split("test")}
    with pytest.raises(InputError, match="no images of the split 'valid'"):
        fit_systems(alone)
    with pytest.raises(InputError, match="choose another one to evaluate"):
        fit_systems({"one": made("one", 1)}, split="valid")
    (system,) = fit_systems(alone, fit_on_shown=True)
    assert system.fitted is system.shown


def test_a_model_without_validation_images_keeps_its_own_thresholds() -> None:
    predictions = made("one", 1).split("test")
    system = at_thresholds("one", predictions, [0.2, 0.4, 0.6, 0.8])
    np.testing.assert_array_equal(system.calls, predictions.scores >= np.array([0.2, 0.4, 0.6, 0.8]))


def test_a_split_without_images_is_refused(models: dict[str, Predictions]) -> None:
    with pytest.raises(InputError, match="no image of the split 'train'"):
        fit_systems(models, split="train")
