"""The healthy body of the last films is cached between renderings."""

import numpy as np
import pytest

from cxrbench.data.phantom import VIEWS, healthy, render

SIZE = 64


def forget() -> None:
    healthy._cached_frontal.cache_clear()
    healthy._cached_lateral.cache_clear()


@pytest.mark.parametrize("view", VIEWS)
def test_a_cached_body_gives_the_same_film_as_a_new_one(view: str) -> None:
    findings = {"Edema": 0.6, "Pleural Effusion": 0.5, "Cardiomegaly": 0.4}
    render(5, {"Pneumothorax": 0.9, "Atelectasis": 0.8}, view=view, size=SIZE)
    kept = render(5, findings, view=view, size=SIZE)
    forget()
    anew = render(5, findings, view=view, size=SIZE)
    assert np.array_equal(kept.image, anew.image)
    assert np.array_equal(kept.attenuation, anew.attenuation)
    for name, mask in anew.masks.items():
        assert np.array_equal(kept.masks[name], mask)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("other", [{"exposure": 1}, {"sex": "F"}, {"age": 20}, {"size": 72}])
def test_another_exposure_body_or_size_is_another_film(view: str, other: dict[str, object]) -> None:
    options = {"size": SIZE, "sex": "M", "age": 60} | other
    first = render(5, view=view, size=SIZE, sex="M", age=60)
    second = render(5, view=view, **options)  # type: ignore[arg-type]
    forget()
    assert np.array_equal(second.attenuation, render(5, view=view, **options).attenuation)  # type: ignore[arg-type]
    assert not np.array_equal(first.attenuation, second.attenuation)


@pytest.mark.parametrize("view", VIEWS)
def test_changing_a_film_in_place_does_not_change_the_next_one(view: str) -> None:
    first = render(5, view=view, size=SIZE)
    before = {name: mask.copy() for name, mask in first.outlines.items()}, first.attenuation.copy()
    for array in (first.image, first.attenuation, *first.outlines.values()):
        array[...] = 1
    second = render(5, view=view, size=SIZE)
    assert np.array_equal(second.attenuation, before[1])
    for name, mask in before[0].items():
        assert np.array_equal(second.outlines[name], mask)


def test_a_large_body_is_not_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(healthy, "_MAX_CACHED_SIZE", SIZE - 1)
    forget()
    render(5, size=SIZE)
    render(5, size=SIZE, view="LATERAL")
    assert healthy._cached_frontal.cache_info().currsize == healthy._cached_lateral.cache_info().currsize == 0
