from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxrbench.data import read_chexpert
from cxrbench.data.clinical import age_bands
from cxrbench.data.label_tables import LabelTable, group_masks, label_table
from cxrbench.data.phantom import write
from cxrbench.data.phantom.planned import planned_studies
from cxrbench.data.studies import COLUMNS, Studies


def made(**columns: Any) -> Studies:
    rows = len(next(iter(columns.values())))
    table = pd.DataFrame({name: [""] * rows for name in COLUMNS} | {"age": np.nan, "Edema": 1.0} | columns)
    return Studies(table, ("Edema",), "made")


def test_every_image_is_in_one_band_of_ages() -> None:
    bands = age_bands(np.array([0, 19.5, 20, 59, 60, 90, np.nan]))
    assert bands.tolist() == ["0–19", "0–19", "20–39", "40–59", "60–79", "80+", ""]


def test_images_are_grouped_by_what_the_table_names() -> None:
    table = label_table(
        "key",
        "title",
        "",
        made(
            patient=["a", "a", "b"],
            age=[30.0, 30.0, np.nan],
            view=["frontal", "lateral", "frontal"],
            projection=["PA", "PA", ""],
        ),
    )
    assert set(table.groups) == {"Age", "View"}  # every sex is unknown
    assert table.groups["Age"].tolist() == ["20–39", "20–39", ""]
    assert table.groups["View"].tolist() == ["PA", "lateral", "frontal"]
    assert table.patients == 2


def test_a_table_with_one_patient_per_image_names_no_patients() -> None:
    assert label_table("key", "title", "", made(patient=["a", "b", "c"])).patients == 0


def test_groups_too_small_to_compare_are_left_out() -> None:
    sexes = np.array(["F"] * 60 + ["M"] * 70 + [""])
    table = LabelTable("k", "t", "", ("Edema",), np.zeros((131, 1)), {"Sex": sexes}, 0)
    masks = group_masks(table, "Sex")
    assert {name: int(mask.sum()) for name, mask in masks.items()} == {"M": 70, "F": 60}


def test_the_planned_table_is_that_of_the_rendered_phantom(tmp_path: Path) -> None:
    write(tmp_path, patients=6, seed=3, size=64, workers=1)
    planned = planned_studies(6, seed=3)
    rendered = read_chexpert(tmp_path / "train.csv")
    rendered = rendered.take((rendered.table["view"] == "frontal").to_numpy())
    same = ["patient", "view", "projection", "sex", "age", *planned.labels]
    pd.testing.assert_frame_equal(
        planned.table[same], rendered.table[same].reset_index(drop=True), check_dtype=False
    )
