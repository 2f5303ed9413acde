import numpy as np

from cxrbench.app.services.result_cache import Key, Results
from cxrbench.compare import Prediction


def prediction(name: str, count: int = 100) -> Prediction:
    values = np.zeros(count, np.float32)
    return Prediction(name, "r", ("F",) * count, values, values, values, 0.1)


def test_what_was_put_comes_back_by_an_equal_key() -> None:
    results = Results()
    results.put(Key("image", "m", "r"), prediction("m"))
    found = results.prediction(Key("image", "m", "r"))
    assert found is not None
    assert found.model == "m"
    assert results.prediction(Key("image", "m", "other weights")) is None
    assert results.heat_maps(Key("image", "m", "r")) is None


def test_what_was_unused_for_longest_is_forgotten_first() -> None:
    results = Results(limit=3 * 1200)
    keys = [Key(str(index), "m", "r") for index in range(4)]
    for key in keys[:3]:
        results.put(key, prediction("m"))
    assert results.prediction(keys[0])
    results.put(keys[3], prediction("m"))
    assert results.held() == (keys[2], keys[0], keys[3])


def test_putting_the_same_again_takes_no_more_room() -> None:
    results = Results(limit=2 * 1200)
    for _ in range(10):
        results.put(Key("a", "m", "r"), prediction("m"))
    results.put(Key("b", "m", "r"), prediction("m"))
    assert len(results.held()) == 2
