import ast
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cxrbench.compare import Comparison, Settings, gallery
from cxrbench.compare.snippets import command_snippet, python_snippet
from cxrbench.data import read_image
from cxrbench.writing import write_bytes

SETTINGS = Settings(("efficientnet_b0",), ("grad_cam", "layer_cam(stage=1)"), steps=20)


def run(code: str) -> Comparison:
    names: dict[str, object] = {}
    exec(compile(code, "snippet", "exec"), names)
    made = names["comparison"]
    assert isinstance(made, Comparison)
    return made


def test_the_script_of_a_gallery_case_computes_the_maps_that_are_stored() -> None:
    made = run(python_snippet(SETTINGS, ["Pleural Effusion"], ("case", "pleural-effusion")))
    stored = gallery.load("pleural-effusion", models=["efficientnet_b0"], methods=list(SETTINGS.methods))
    for cell, heat in stored.heat_maps.items():
        expected, found = heat.map_of("Pleural Effusion"), made.heat_maps[cell].map_of("Pleural Effusion")
        assert expected is not None
        assert found is not None
        np.testing.assert_allclose(found, expected, atol=0.01 * float(np.abs(expected).max()))


def test_the_script_of_an_image_file_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_bytes(tmp_path / "film.png", (gallery_film("normal")).read_bytes())
    monkeypatch.chdir(tmp_path)
    made = run(python_snippet(Settings(("efficientnet_b0",), ("grad_cam",)), ["Edema"], None))
    np.testing.assert_array_equal(made.image, read_image(tmp_path / "film.png").pixels)


@pytest.mark.parametrize("link", [None, ("case", "edema"), ("film", "test/patient1/study1/view1.png")])
def test_every_script_is_python_and_states_what_is_not_the_default(link: tuple[str, str] | None) -> None:
    code = python_snippet(SETTINGS, ["Edema"], link)
    ast.parse(code)
    assert "steps=20" in code
    assert "stage=" not in code.replace("layer_cam(stage=1)", "")


def test_the_command_writes_the_maps(tmp_path: Path) -> None:
    command = command_snippet(SETTINGS, ["Pleural Effusion"], ("case", "pleural-effusion"))
    assert "assets.gallery() / 'pleural-effusion' / 'image.png'" in command
    assert "--steps 20" in command
    words = shlex.split(command_snippet(SETTINGS, ["Pleural Effusion"], None))
    words[2] = str(gallery_film("pleural-effusion"))
    done = subprocess.run(
        [sys.executable, "-m", "cxrbench.cli", *words[1:]], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "maps" / "image-pleural-effusion.png").is_file()


def gallery_film(case: str) -> Path:
    from cxrbench import assets

    return assets.gallery() / case / "image.png"
