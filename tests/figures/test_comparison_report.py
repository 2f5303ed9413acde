"""The report of a comparison: what it states, and that it needs nothing from elsewhere."""

import base64
import io
import re
import shlex
from dataclasses import replace
from html import unescape

import numpy as np
from PIL import Image

from cxrbench.cli.parser import _parser
from cxrbench.compare import DISCLAIMER, Comparison, HeatMaps, Prediction, Settings
from cxrbench.compare.saved_settings import SavedSettings, read_settings
from cxrbench.figures.comparison_report import comparison_report
from cxrbench.preprocess import Preprocessing

LABELS = ("Edema", "Fracture")


def comparison() -> Comparison:
    rng = np.random.default_rng(0)
    methods = ("grad_cam", "grad_cam(stage=1)", "random")
    half = np.full(2, 0.5, np.float32)
    heats = {
        ("a", method): HeatMaps(
            "a",
            method,
            None,
            LABELS,
            rng.random((2, 7, 7), np.float32),
            Preprocessing(size=64),
            0.01,
            title=method,
        )
        for method in methods
    }
    return Comparison(
        image=rng.random((64, 64), np.float32),
        source="f" * 64,
        settings=Settings(("a",), methods, stage=1, baseline="blur", steps=20),
        predictions={"a": Prediction("a", "rev<1>", LABELS, half, half + 0.2, half, 0.1, title="Model A")},
        heat_maps=heats,
        truth={"Edema": 1},
        view="PA",
    )


FILM_LINK = (("case", "heart"), ("edit", "without:edema"))
REPORT = comparison_report(comparison(), ["Edema"], title="a & b.png", film_link=FILM_LINK, dpi=40)


def test_a_report_states_scores_settings_versions_references_and_the_disclaimer() -> None:
    text = unescape(REPORT)
    for expected in (
        DISCLAIMER,
        "Heat maps of a & b.png",
        "Model A",
        "rev<1>",
        "score 0.70, above its threshold 0.50",
        "Truth: present.",
        "arXiv:1610.02391",
        "Does not look at the image or the model.",
        "this address restores it: <code>/compare?case=heart&models=a&methods=grad_cam&methods=grad_cam%28",
        '"numpy": ',
    ):
        assert expected in text
    assert "Fracture" not in text
    assert "rev<1>" not in REPORT  # names are no markup


def test_a_report_loads_nothing() -> None:
    assert not re.search(r"""(?:src|href|url\(|@import)\s*=?\s*["']?(?!data:)[a-z]+:""", REPORT)
    assert not re.search(r"https?://", REPORT)
    sources = re.findall(r'src="data:image/png;base64,([^"]+)"', REPORT)
    assert len(set(sources)) == 2  # each map on its own scale, and all on one
    for source in sources:
        with Image.open(io.BytesIO(base64.b64decode(source))) as picture:
            assert picture.width == round(4 * 3.2 * 40)


def test_the_settings_in_a_report_are_those_of_the_comparison() -> None:
    saved = read_settings(REPORT.encode())
    assert saved == SavedSettings.of(comparison(), ["Edema"], film="a & b.png", film_link=FILM_LINK)
    assert saved.revisions == {"a": "rev<1>"}


def test_what_is_wrong_with_a_film_stands_before_its_scores() -> None:
    known = comparison()
    (prediction,) = known.predictions.values()
    unknown = replace(known, truth={}, predictions={"a": replace(prediction, distance=2.5)})
    text = unescape(comparison_report(unknown, ["Edema"], dpi=30))
    heading = text.index("Before you look at the scores")
    assert heading < text.index("(2.5 times the limit)") < text.index("score 0.70")
    assert "Before you look at the scores" not in REPORT  # a film whose truth is known


def test_beside_the_chosen_scale_a_report_holds_each_maps_own_or_the_common_one() -> None:
    assert "<summary>The same maps, one scale for all maps</summary>" in REPORT
    common = comparison_report(comparison(), ["Edema"], scale="all", dpi=30)
    assert "<summary>The same maps, each map has its own scale</summary>" in common
    known = comparison()
    alone = replace(known, heat_maps=dict(list(known.heat_maps.items())[:1]))
    assert "<details>" not in comparison_report(alone, ["Edema"], dpi=30)  # one map: the scales are the same


def test_the_command_in_a_report_is_one_that_explain_takes() -> None:
    (command,) = re.findall(r"<pre>(cxrbench explain .*?)</pre>", REPORT)
    options = _parser().parse_args(shlex.split(unescape(command))[1:])
    expected = comparison().settings
    assert (
        Settings(tuple(options.model), tuple(options.method), options.stage, options.baseline, options.steps)
        == expected
    )
    assert options.finding == ["Edema"]
