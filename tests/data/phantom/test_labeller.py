"""Co-occurrence of findings, and the labels of the labeller."""

import numpy as np
import pytest

from cxrbench.data.phantom import Study, plan
from cxrbench.data.phantom.labeller import PUBLISHED_RATES, certain, closed, draw_truth, label, prevalence
from cxrbench.labels import CHEXPERT, HIERARCHY


@pytest.fixture(scope="module")
def studies() -> list[Study]:
    return plan(2500, seed=5, fractions=(1, 0, 0))


@pytest.mark.parametrize("finding", CHEXPERT)
def test_positive_uncertain_and_negative_come_at_the_published_rates(
    studies: list[Study], finding: str
) -> None:
    labels = np.array([study.labels[finding] for study in studies])
    for value, rate in zip((1, -1, 0), PUBLISHED_RATES[finding], strict=True):
        assert abs((labels == value).mean() - rate) < 0.025, value


def test_a_positive_label_is_mostly_true_and_a_negative_one_mostly_not(studies: list[Study]) -> None:
    for finding in CHEXPERT[1:]:
        present = np.array([certain(study.findings)[finding] for study in studies])
        labels = np.array([study.labels[finding] for study in studies])
        assert present[labels == 1].mean() > 0.9
        assert present[labels == 0].mean() < 0.15


def test_subtle_findings_are_called_uncertain_more_often() -> None:
    rng = np.random.default_rng(0)
    doubts = [
        np.mean([label({"Atelectasis": s}, rng)["Atelectasis"] == -1 for _ in range(2000)])
        for s in (0.1, 0.9)
    ]
    assert doubts[0] > 2 * doubts[1]


def test_no_finding_is_labelled_only_without_other_findings(studies: list[Study]) -> None:
    for study in studies:
        others = [study.labels[name] for name in CHEXPERT[1:] if name != "Support Devices"]
        if study.labels["No Finding"] == 1:
            assert not {1.0, -1.0} & set(others)


def test_closing_adds_every_ancestor_with_its_severest_child() -> None:
    assert closed({"Pneumonia": 0.3, "Edema": 0.6}) == {
        "Pneumonia": 0.3,
        "Consolidation": 0.3,
        "Lung Opacity": 0.6,
        "Edema": 0.6,
    }
    for child, parent in HIERARCHY.items():
        assert certain({child: 0.5})[parent] == 1
        assert prevalence()[parent] >= prevalence()[child]


def test_causes_make_findings_occur_together(studies: list[Study]) -> None:
    table = np.array([[name in study.findings for name in CHEXPERT] for study in studies], float)

    def lift(a: str, b: str) -> float:
        x, y = table[:, CHEXPERT.index(a)], table[:, CHEXPERT.index(b)]
        return float((x * y).mean() / (x.mean() * y.mean()))

    assert lift("Edema", "Pleural Effusion") > 1.3
    assert lift("Pneumonia", "Consolidation") > 1.5
    assert lift("Pneumothorax", "Support Devices") > 1.2
    assert 0.7 < lift("Lung Lesion", "Support Devices") < 1.4


def test_findings_last_between_studies_of_a_patient() -> None:
    rng = np.random.default_rng(1)
    pairs = [draw_truth(rng, 2) for _ in range(1500)]
    first, second = (np.array(["Pleural Effusion" in pair[i] for pair in pairs]) for i in (0, 1))
    assert second[first].mean() > 1.5 * second.mean()
