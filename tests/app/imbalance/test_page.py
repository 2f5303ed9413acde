"""The Imbalance page, and the tables it reads."""

import gzip
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from cxrbench.app import main
from cxrbench.app.imbalance import counts, strategies
from cxrbench.app.imbalance.tables import LABEL_TABLES, published_or_phantom, uploaded_table
from cxrbench.errors import InputError
from cxrbench.targets import imbalance as statistics

MAIN = Path(main.__file__)
# Before the first run Streamlit identifies a page by the name of its file.
PAGE = MAIN.parents[2] / "pages" / "imbalance.py"
PARTS = ("Counts", "Together", "Imbalance", "Policies", "Resampling", "Class weights", "Groups")


@pytest.fixture
def page(small_assets: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(small_assets))
    monkeypatch.setenv("CXRBENCH_MODELS", str(small_assets / "own"))
    return AppTest.from_file(str(MAIN), default_timeout=60).switch_page(str(PAGE))


def chexpert_csv(rows: int = 200) -> bytes:
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "Path": [f"train/patient{row // 2:05d}/study{row % 2}/view1_frontal.jpg" for row in range(rows)],
            "Sex": random.choice(["Male", "Female"], rows),
            "Age": random.integers(20, 90, rows),
            "Frontal/Lateral": "Frontal",
            "AP/PA": random.choice(["AP", "PA"], rows),
            "Edema": random.choice([1, 0, -1, np.nan], rows),
            "Fracture": random.choice([1, np.nan], rows, p=(0.05, 0.95)),
        }
    )
    return table.to_csv(index=False).encode()


@pytest.mark.parametrize("part", PARTS)
def test_every_tab_draws(page: AppTest, part: str) -> None:
    page.query_params["part"] = part
    page.session_state["table"] = "vindr"  # the smallest
    at = page.run()
    assert not at.exception
    assert "15,000" in " ".join(metric.value for metric in at.metric)
    assert at.query_params.get("part", "Counts") == part


@pytest.mark.slow
def test_tabs_of_a_table_fifteen_times_as_long_take_hardly_longer(page: AppTest) -> None:
    seconds = {}
    for name, images in (("vindr", "15,000"), ("chexpert", "223,414")):
        page.session_state["table"] = name
        page.run()
        assert images in " ".join(metric.value for metric in page.metric)
        start = time.process_time()  # a ratio within one process: other work slows both down
        for part in ("Together", "Imbalance", "Policies", "Groups"):
            page.query_params["part"] = part
            page.run()
            assert not page.exception
        seconds[name] = time.process_time() - start
        page.query_params["part"] = "Counts"
    assert seconds["chexpert"] < 3 * seconds["vindr"]


@pytest.mark.parametrize("name", [name for name in LABEL_TABLES if name != "phantom"])
def test_published_tables_open(name: str) -> None:
    found = published_or_phantom(name)
    assert found.targets.shape == (len(found.targets), len(found.labels))
    assert f"{len(found.targets):,}" in found.title


def test_counts_are_those_of_the_statistics() -> None:
    found = uploaded_table(chexpert_csv(), "own.csv")
    table = counts.counts_table(found)
    tally = statistics.counts(found.targets)
    for row in table.itertuples():
        assert row.images == getattr(tally, str(row.state))[found.labels.index(str(row.finding))]
    assert (table.groupby("finding")["share"].sum().round(9) == 1).all()


def test_an_uploaded_table_may_be_gzipped_and_is_cached_by_its_content() -> None:
    plain, packed = (
        uploaded_table(chexpert_csv(), "a.csv"),
        uploaded_table(gzip.compress(chexpert_csv()), "b.csv.gz"),
    )
    np.testing.assert_array_equal(plain.targets, packed.targets)
    assert plain.patients == 100
    assert uploaded_table(chexpert_csv(), "a.csv") is plain


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a,b\n1,2\n", "expected a CSV with CheXpert's label columns"),
        (chexpert_csv().replace(b"patient", b"p"), "without a patient"),
        (b"", "empty file"),
        (b"\x1f\x8bnothing", "is damaged"),
    ],
)
def test_an_invalid_uploaded_table_is_refused_with_the_reason(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        uploaded_table(data, "own.csv")


def test_resampled_counts_agree_with_the_statistics() -> None:
    found = uploaded_table(chexpert_csv(), "own.csv")
    table, totals = strategies.resampled(found, 0.25)
    kept = table[table["name"] == "as they are"]
    assert kept["images"].tolist() == statistics.positives(found.targets).sum(0).tolist()
    assert totals["MeanIR"][0] == pytest.approx(statistics.mean_ir(found.targets))
    assert totals["CVIR"][0] == pytest.approx(statistics.cvir(found.targets))
    even = table[table["name"] == "drawn evenly"]["images"].to_numpy()
    assert even.max() / even.min() < kept["images"].max() / kept["images"].min()


def test_class_weights_are_those_of_the_losses() -> None:
    import torch

    from cxrbench.targets import POLICIES
    from cxrbench.training.objective.losses import positive_weights

    found = uploaded_table(chexpert_csv(), "own.csv")
    table = strategies.weights_table(found, "ones", "zero")
    wanted = positive_weights(torch.from_numpy(POLICIES["ones"](found.targets, found.labels, blank="zero")))
    shown = table[table["name"] == "weighted BCE, positives"]["value"]
    np.testing.assert_allclose(shown, wanted.numpy(), rtol=1e-6)
