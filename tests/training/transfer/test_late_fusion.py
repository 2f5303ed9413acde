import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from cxrbench.metrics import ranking
from cxrbench.training.transfer.late_fusion import fit_fusion


def sigmoid(z: np.ndarray) -> np.ndarray:
    scores: np.ndarray = 1 / (1 + np.exp(-z))
    return scores


@pytest.fixture
def world() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(4000, 2))
    image = rng.normal(size=(4000, 2))
    z = image + features @ np.array([[2.0, 0.0], [0.0, 0.0]])
    targets = (rng.random(z.shape) < sigmoid(z)).astype(float)
    return sigmoid(image), features, targets


def test_the_fusion_is_scikit_learns_logistic_regression(
    world: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    scores, features, targets = world
    fusion = fit_fusion(scores, features, targets, penalty=1e-6)
    logits = np.log(scores / (1 - scores))
    for label in range(2):
        design = np.column_stack([logits[:, label], features])
        peer = LogisticRegression(C=1e6, tol=1e-8).fit(design, targets[:, label])
        assert np.allclose(fusion.weights[label], peer.coef_[0], atol=1e-3)
        assert fusion.bias[label] == pytest.approx(peer.intercept_[0], abs=1e-3)


def test_informative_features_raise_the_auroc_and_others_do_not_lower_it(
    world: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    scores, features, targets = world
    half = slice(0, 2000), slice(2000, 4000)
    fusion = fit_fusion(scores[half[0]], features[half[0]], targets[half[0]])
    fused = fusion.scores(scores[half[1]], features[half[1]])
    alone, both = (ranking.auroc(targets[half[1]], s) for s in (scores[half[1]], fused))
    assert both[0] > alone[0] + 0.1
    assert both[1] == pytest.approx(alone[1], abs=0.01)


def test_without_positives_the_image_score_is_unchanged(
    world: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    scores, features, targets = world
    targets[:, 0] = 0
    targets[:, 1] = np.nan
    fusion = fit_fusion(scores, features, targets)
    assert not fusion.fitted.any()
    assert np.allclose(fusion.scores(scores, features), scores, atol=1e-6)


def test_with_few_studies_the_fusion_stays_near_the_image_score(
    world: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    scores, features, targets = world
    few = fit_fusion(scores[:6], features[:6], targets[:6])
    assert np.isfinite(few.weights).all()
    assert abs(few.weights[0, 1]) < 1.5
