import numpy as np

from cxrbench.app.services.result_cache import Key, ResultCache
from cxrbench.compare import Prediction


def prediction(name: str, count: int = 100) -> Prediction:
    values = np.zeros(count, np.float32)
    return Prediction(name, "r", ("F",) * count, values, values, values, 0.1)


def test_a_result_is_found_by_an_equal_key() -> None:
    results = ResultCache()
    results.put(Key("image", "m", "r"), prediction("m"))
    found = results.prediction(Key("image", "m", "r"))
    assert found is not None
    assert found.model == "m"
    assert results.prediction(Key("image", "m", "other weights")) is None
    assert results.heat_maps(Key("image", "m", "r")) is None


def test_the_least_recently_used_result_is_removed_first() -> None:
    results = ResultCache(limit=3 * 1200)
    keys = [Key(str(index), "m", "r") for index in range(4)]
    for key in keys[:3]:
        results.put(key, prediction("m"))
    assert results.prediction(keys[0])
    results.put(keys[3], prediction("m"))
    assert results.cached_keys() == (keys[2], keys[0], keys[3])


def test_replacing_a_result_takes_no_more_space() -> None:
    results = ResultCache(limit=2 * 1200)
    for _ in range(10):
        results.put(Key("a", "m", "r"), prediction("m"))
    results.put(Key("b", "m", "r"), prediction("m"))
    assert len(results.cached_keys()) == 2
