from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cxrbench.errors import InputError
from cxrbench.labels import CHEXPERT
from cxrbench.models import ARCHITECTURES
from cxrbench.targets import POLICIES
from cxrbench.training import TrainConfig

GOOD = """
name = "m"
architecture = "efficientnet_b0"
[data]
root = "somewhere"
[[phases]]
size = 32
epochs = 2
batch = 8
rate = 1e-3
"""


def read(tmp_path: Path, text: str) -> TrainConfig:
    path = tmp_path / "recipe.toml"
    path.write_text(text, encoding="utf8")
    return TrainConfig.read(path)


def test_a_recipe_is_read_with_its_defaults(tmp_path: Path) -> None:
    config = read(tmp_path, GOOD)
    assert config.labels == CHEXPERT
    assert config.phases[0].rate == 1e-3
    assert config.data.root == "somewhere"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: "colour = 1\n" + t, ["colour", "known are", "architecture"]),
        (lambda t: t + "momentum = 0.9\n", ["phases", "momentum", "warmup"]),
        (lambda t: t.replace('name = "m"\n', ""), ["lacks name"]),
        (lambda t: t.replace("epochs = 2", 'epochs = "two"'), ["epochs", "int", "'two'"]),
        (lambda t: t.replace("epochs = 2", "epochs = true"), ["epochs", "int", "True"]),
        (lambda t: t.replace("epochs = 2", "epochs = 0"), ["epochs", "greater than 0"]),
        (lambda t: 'pretrained = true\ninit = "m"\n' + t, ["pretrained", "init", "exclude each other"]),
        (
            lambda t: "pretrained = true\nmimetic = true\n" + t,
            ["pretrained", "mimetic", "exclude each other"],
        ),
        (lambda t: "mixup = -1\n" + t, ["Mixup alpha", "at least 0"]),
        (lambda t: t + "warmup = 2\n", ["warmup", "[0, 2)"]),
        (lambda t: t.split("[[phases]]")[0] + "[phases]\nsize = 3", ["phases", "list"]),
        (
            lambda t: t.replace('[data]\nroot = "somewhere"', "").replace(
                'name = "m"', 'name = "m"\ndata = 3'
            ),
            ["data", "table"],
        ),
        (lambda t: t + "[[[", ["not valid TOML"]),
    ],
)
def test_an_invalid_recipe_is_refused_with_the_reason(
    tmp_path: Path, change: Callable[..., Any], words: list[str]
) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, change(GOOD))
    assert all(word in str(caught.value) for word in words), caught.value


def test_a_missing_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        TrainConfig.read(tmp_path / "none.toml")


def test_only_settings_that_determine_the_weights_change_the_fingerprint(tmp_path: Path) -> None:
    config = read(tmp_path, GOOD)
    assert read(tmp_path, 'title = "T"\nworkers = 2\n' + GOOD).fingerprint == config.fingerprint
    assert read(tmp_path, "seed = 1\n" + GOOD).fingerprint != config.fingerprint
    assert read(tmp_path, GOOD.replace("batch = 8", "batch = 9")).fingerprint != config.fingerprint


def test_a_setting_at_its_default_does_not_change_the_fingerprint(
    tmp_path: Path,
) -> None:
    config = read(tmp_path, GOOD)
    spelt = 'init = ""\nema = 0.99\n' + GOOD.replace(
        'root = "somewhere"', 'root = "somewhere"\ncertain = false'
    )
    assert read(tmp_path, spelt).fingerprint == config.fingerprint
    certain = GOOD.replace('root = "somewhere"', 'root = "somewhere"\ncertain = true')
    assert read(tmp_path, certain).fingerprint != config.fingerprint


def test_every_recipe_that_ships_can_be_read_and_states_its_command(root: Path) -> None:
    recipes = sorted((root / "train" / "configs").glob("*.toml"))
    # The lungs' network has a recipe of another kind, which its own reader checks.
    recipes = [path for path in recipes if path.stem != "lungs"]
    assert len(recipes) > 5
    for path in recipes:
        config = TrainConfig.read(path)
        assert config.architecture in ARCHITECTURES
        assert config.data.policy in POLICIES
        assert f"-m train.finetune train/configs/{path.name}" in path.read_text(encoding="utf8")
