"""A lesson is computed from film and model, by the page's own functions and by the command."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cxrbench.app.learn.lesson_data import learn_data
from cxrbench.cli import main
from cxrbench.compare.run import prediction
from cxrbench.data.phantom import twin
from cxrbench.data.phantom.shipped import SIZE, held_out_studies
from cxrbench.explain import explain
from cxrbench.judge.sanity import randomised_models
from cxrbench.models import hub
from cxrbench.teaching import read_lesson
from cxrbench.teaching.lessons import read_computed
from cxrbench.teaching.lessons.bench import Bench
from cxrbench.teaching.lessons.computing import compute
from cxrbench.teaching.lessons.template import TEMPLATE

LESSON = """
title = "A test"
purpose = "To be computed."
[[steps]]
title = "One"
text = "Score {score}."
reveal = "Then {change}."
pictures = [
  {{ show = "film", outline = "Cardiomegaly" }},
  {{ show = "map", edits = ["without:cardiomegaly"], when = "reveal", caption = "**{share}**" }},
]
[steps.state]
film = "{film}"
models = ["small"]
methods = ["grad_cam"]
finding = "Cardiomegaly"
[steps.values]
score = {{ quantity = "score" }}
change = {{ quantity = "change_of_logit_without" }}
share = {{ quantity = "chance_inside" }}
cells = {{ quantity = "cells_of_map" }}
[steps.question]
ask = "How many cells?"
answer = "cells"
tolerance = 1
"""


@pytest.fixture
def folder(small_assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(small_assets))
    monkeypatch.setenv("CXRBENCH_MODELS", str(tmp_path / "none"))
    monkeypatch.setenv("CXRBENCH_LESSONS", str(tmp_path))
    return tmp_path


def test_values_and_pictures_are_those_of_film_and_model(
    folder: Path, small_assets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = next(each for each in held_out_studies() if set(each.findings) == {"Cardiomegaly"})
    file = folder / "mine.toml"
    texts = {name: "{" + name + "}" for name in ("score", "change", "share")}
    file.write_text(LESSON.format(film=study.path, **texts), encoding="utf-8")
    assert main(["lesson", "check", str(file), "--write"]) == 0
    printed = capsys.readouterr().out
    assert "How many cells? → 9 ± 1" in printed

    film = study.render(study.films[0], SIZE)
    model = hub.load(small_assets / "models" / "small")
    found = prediction("small", model, film.image)
    index = found.labels.index("Cardiomegaly")
    without = prediction("small", model, twin(film, without=["Cardiomegaly"]).phantom.image)
    lesson = read_lesson(file)
    (values,) = read_computed(lesson).values
    assert values["score"] == pytest.approx(float(found.scores[index]), abs=1e-4)
    assert values["change"] == pytest.approx(float(without.logits[index] - found.logits[index]), abs=1e-3)
    assert values["share"] == pytest.approx(100 * film.masks["Cardiomegaly"].mean(), abs=1e-3)

    data = learn_data([lesson], "mine")["lesson"]
    assert data is not None
    (step,) = data["steps"]
    assert step["bench"].startswith("compare?film=test%2Fpatient")
    assert [picture["revealed"] for picture in step["pictures"]] == [False, True]
    image = data["images"][step["pictures"][0]["film"]].removeprefix("data:image/webp;base64,")
    grey = np.asarray(Image.open(io.BytesIO(base64.b64decode(image))).convert("L"), np.float32) / 255
    assert np.abs(grey - film.image).mean() < 0.02


def test_a_picture_of_random_weights_shows_the_map_of_an_untrained_network(
    folder: Path, small_assets: Path
) -> None:
    study = next(each for each in held_out_studies() if set(each.findings) == {"Cardiomegaly"})
    file = folder / "mine.toml"
    texts = {name: "{" + name + "}" for name in ("score", "change", "share")}
    text = LESSON.format(film=study.path, **texts)
    file.write_text(text.replace('show = "film"', 'show = "randomised map"'), encoding="utf-8")
    lesson, bench = read_lesson(file), Bench()
    computed = compute(lesson, bench)
    (panels,) = computed.panels
    assert panels[0].heat in computed.images
    assert panels[0].heat != panels[1].heat
    state = lesson.steps[0].pictures[0].state
    trained = hub.load(small_assets / "models" / "small")
    example = trained.spec.preprocessing(bench.film(state).image)[None]
    *_, (_, random) = randomised_models(trained, example)
    *_, last = explain(random, example, [random.spec.labels.index("Cardiomegaly")], ["grad_cam"])
    heat = bench.randomised_heat(state, "small", "grad_cam")
    torch.testing.assert_close(
        torch.as_tensor(heat.map_of("Cardiomegaly")), last.maps[0, 0], atol=1e-4, rtol=1e-3
    )


def test_the_command_writes_a_template_and_names_errors(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "mine.toml"
    assert main(["lesson", "new", str(file)]) == 0
    assert main(["lesson", "new", str(file)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["lesson", "new", str(folder / "mine.txt")]) == 2
    # The case of the template is one of the shipped gallery, not of this small one.
    assert main(["lesson", "check", "--all"]) == 1
    line = TEMPLATE[: TEMPLATE.index("\ncase = ")].count("\n") + 2
    assert f"mine.toml, line {line}: case 'pleural-effusion' is not known" in capsys.readouterr().err
    assert main(["lesson", "check"]) == 2
