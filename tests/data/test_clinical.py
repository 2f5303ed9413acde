import json

import numpy as np
import pandas as pd
import pytest

from cxrbench.data import CLINICAL_FEATURES, Clinical, Studies, read_published
from cxrbench.data.studies import COLUMNS
from cxrbench.errors import InputError

ROWS = [
    # path, patient, study, view, projection, sex, age
    ("a", "p1", "s1", "frontal", "PA", "M", 40.0),
    ("b", "p1", "s1", "lateral", "", "F", 60.0),
    ("c", "p2", "s1", "frontal", "AP", "", np.nan),
    ("d", "p3", "s1", "", "LL", "M", 80.0),
]
STUDIES = Studies(pd.DataFrame(ROWS, columns=list(COLUMNS)), (), "test")


def test_features_match_the_table() -> None:
    # Ages 40, 60, 80: mean 60, deviation √(800/3).
    step = 20 / np.sqrt(800 / 3)
    expected = [
        # age, unknown, male, female, PA, AP, frontal, lateral
        [-step, 0, 1, 0, 1, 0, 1, 0],
        [0, 0, 0, 1, 0, 0, 0, 1],
        [0, 1, 0, 0, 0, 1, 1, 0],
        [step, 0, 1, 0, 0, 0, 0, 0],
    ]
    features = Clinical.fit(STUDIES).features(STUDIES)
    assert features.dtype == np.float32
    assert features.shape == (4, len(CLINICAL_FEATURES))
    np.testing.assert_allclose(features, expected, rtol=1e-6)


def test_parameters_fitted_on_training_studies_apply_to_others() -> None:
    fitted = Clinical.fit(STUDIES)
    older = STUDIES.take([3, 3])
    assert fitted.features(older)[0, 0] == fitted.features(STUDIES)[3, 0]


@pytest.mark.parametrize("ages", [[np.nan] * 4, [50.0, np.nan, np.nan, np.nan], [50.0] * 4])
def test_ages_become_0_where_fewer_than_two_differ(ages: list[float]) -> None:
    studies = Studies(STUDIES.table.assign(age=ages), (), "test")
    fitted = Clinical.fit(studies)
    features = fitted.features(STUDIES)
    assert np.isfinite(features).all()
    assert not features[:, 0].any()
    assert Clinical.from_dict(json.loads(json.dumps(fitted.as_dict(), allow_nan=False))) == fitted


def test_a_table_of_no_rows_has_no_features() -> None:
    assert Clinical(60.0, 10.0).features(STUDIES.take([])).shape == (0, len(CLINICAL_FEATURES))


def test_the_encoder_survives_json_and_invalid_values_are_refused() -> None:
    fitted = Clinical.fit(STUDIES)
    assert Clinical.from_dict(json.loads(json.dumps(fitted.as_dict()))) == fitted
    for broken in ({}, {"age_mean": 1}, {"age_mean": "x", "age_deviation": 1}, {"age_mean": 1, "b": 2}):
        with pytest.raises(InputError):
            Clinical.from_dict(broken)
    for mean, deviation in ((float("nan"), 1), (60, 0), (60, float("nan")), (60, -1)):
        with pytest.raises(InputError, match="age_"):
            Clinical(mean, deviation)


def test_all_of_chexpert_has_features_without_nan() -> None:
    studies = read_published("chexpert")
    features = Clinical.fit(studies).features(studies)
    assert np.isfinite(features).all()
    by_name = dict(zip(CLINICAL_FEATURES, features.sum(0, dtype=np.float64), strict=True))
    assert by_name["male"] == 132_636
    assert by_name["female"] == 90_777
    assert by_name["PA"] == 29_420
    assert by_name["AP"] == 161_590
    assert by_name["lateral"] == 32_387
    assert abs(features[:, 0].mean(dtype=np.float64)) < 1e-5
    assert features[:, 0].std(dtype=np.float64) == pytest.approx(1, abs=1e-4)
