import numpy as np
import pandas as pd
import pytest

from cxrbench.errors import InputError
from cxrbench.evaluation import ABOUT, Predictions, contenders, ranked, row
from cxrbench.inference import ENSEMBLES
from cxrbench.metrics import auroc, balanced_accuracy, f1, hamming_loss


def made(name, seed, images=400):
    targets = (np.random.default_rng(0).random((images, 4)) < [0.4, 0.2, 0.1, 0.05]).astype(np.float32)
    noise = np.random.default_rng(seed).normal(size=targets.shape)
    table = pd.DataFrame({column: [""] * images for column in ABOUT})
    table["path"] = table["patient"] = [f"p{i}" for i in range(images)]
    table["split"] = np.where(np.arange(images) < 150, "valid", "test")
    table["age"] = np.nan
    scores = (1 / (1 + np.exp(1 - 2 * targets - noise))).astype(np.float32)
    return Predictions(table, tuple("ABCD"), targets, scores, name)


@pytest.fixture(scope="module")
def field():
    return contenders([made("one", 1), made("two", 2), made("three", 3)])


def test_models_come_first_then_every_ensemble(field):
    assert [one.name for one in field] == ["one", "two", "three", *ENSEMBLES]
    assert [one.ensemble for one in field] == [False] * 3 + [True] * len(ENSEMBLES)
    assert all(one.calls.shape == (250, 4) for one in field)
    assert all(set(one.predictions.table["split"]) == {"test"} for one in field)
    assert len(contenders([made("one", 1)])) == 1


def test_a_row_holds_the_metrics_of_its_answers(field):
    for one in field:
        figures, truth = row(one), one.predictions.targets
        assert figures.auroc == pytest.approx(np.nanmean(auroc(truth, one.predictions.scores)))
        assert figures.auroc_of_calls == pytest.approx(np.nanmean(balanced_accuracy(truth, one.calls)))
        assert figures.f1 == pytest.approx(np.nanmean(f1(truth, one.calls)))
        assert figures.hamming_loss == pytest.approx(hamming_loss(truth, one.calls).mean())


def test_combined_scores_beat_each_model_and_the_votes_alone_rank_worse(field):
    rows = {one.name: row(one) for one in field}
    best = max(rows[name].auroc for name in ("one", "two", "three"))
    assert rows["ctp_mean"].auroc > best
    assert rows["ptc_mode"].auroc < rows["ctp_mean"].auroc


def test_the_first_by_each_figure_is_the_best_row(field):
    rows = [row(one) for one in field]
    first = ranked(rows)
    by_title = {one.title: one for one in rows}
    assert by_title[first["hamming_loss"]].hamming_loss == min(one.hamming_loss for one in rows)
    assert by_title[first["auroc"]].auroc == max(one.auroc for one in rows)


def test_without_validation_images_nothing_is_fitted():
    with pytest.raises(InputError, match="no images of the split 'valid'"):
        contenders([made("one", 1).split("test")])
