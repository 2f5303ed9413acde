import json
import os
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from cxrbench.data import Radiograph, build_cache, cache, open_cache, read_image, shards
from cxrbench.errors import InputError
from cxrbench.preprocess import Preprocessing

RECIPE = Preprocessing(size=24, mean=0.4, std=0.2)


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    files = [tmp_path / f"{index}.png" for index in range(70)]
    for path in files:
        cv2.imwrite(str(path), rng.integers(0, 256, (60, 50), dtype=np.uint8))
    return files


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_SHARD_BYTES", 20 * 24**2)  # 20 images each


def counted(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Record the images that are decoded from now on."""
    seen: list[Path] = []

    def read(path: Path, **options: Any) -> Radiograph:
        seen.append(path)
        return read_image(path, **options)

    monkeypatch.setattr(cache, "read_image", read)
    return seen


def test_every_image_is_the_preprocessed_one_to_half_a_grey_level(paths: list[Path], tmp_path: Path) -> None:
    built = build_cache(paths, RECIPE, tmp_path / "cache")
    assert built.shape == (70, 24, 24)
    assert len(built.shards) == 4
    for index, path in enumerate(paths):
        direct = RECIPE(read_image(path).pixels)[0].numpy() * RECIPE.std + RECIPE.mean
        assert np.abs(built[index] / 255 - direct).max() <= 0.5 / 255 + 1e-6


def test_indexing_works_as_for_an_array(paths: list[Path], tmp_path: Path) -> None:
    built = build_cache(paths, RECIPE, tmp_path / "cache")
    whole = np.stack([built[index] for index in range(70)])
    for rows in (slice(None), slice(15, 45, 3), [69, 0, 20, 20], np.arange(70) % 7 == 0, np.int64(33), -1):
        np.testing.assert_array_equal(built[rows], whole[rows])
    with pytest.raises(IndexError):
        built[70]
    np.testing.assert_array_equal([built[index] for index in range(len(built))], whole)


def test_no_image_is_decoded_twice(
    paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[int, int]] = []
    build_cache(paths, RECIPE, tmp_path / "cache", progress=lambda *call: calls.append(call))
    assert calls == [(done, 70) for done in range(1, 71)]
    seen = counted(monkeypatch)
    build_cache(paths, RECIPE, tmp_path / "cache", progress=lambda *call: calls.append(call))
    assert not seen
    assert len(calls) == 70


def test_a_build_that_was_stopped_goes_on_after_its_last_whole_shard(
    paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(done: int, total: int) -> None:
        if done == 47:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_cache(paths, RECIPE, tmp_path / "cache", progress=stop)
    seen = counted(monkeypatch)
    calls: list[int] = []
    built = build_cache(paths, RECIPE, tmp_path / "cache", progress=lambda done, _: calls.append(done))
    assert seen == paths[40:] or sorted(seen) == sorted(paths[40:])
    assert calls == list(range(41, 71))
    assert built.usable.all()


def test_only_what_changed_is_decoded_again(
    paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = np.asarray(build_cache(paths, RECIPE, tmp_path / "cache")[:])
    cv2.imwrite(str(paths[33]), np.zeros((7, 9), np.uint8))
    seen = counted(monkeypatch)
    after = build_cache(paths, RECIPE, tmp_path / "cache")
    assert seen == [paths[33]]
    assert not after[33].any()
    others = np.arange(70) != 33
    np.testing.assert_array_equal(after[others], before[others])


def test_a_file_that_only_looks_newer_is_known_by_its_content(
    paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_cache(paths, RECIPE, tmp_path / "cache")
    os.utime(paths[5], ns=(1, 1))
    seen = counted(monkeypatch)
    build_cache(paths, RECIPE, tmp_path / "cache")
    assert not seen


def test_a_shard_whose_bytes_were_damaged_is_rebuilt(
    paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = build_cache(paths, RECIPE, tmp_path / "cache")
    whole = np.asarray(built[:])
    with built.shards[1].path.open("r+b") as file:
        file.seek(-100, os.SEEK_END)
        file.write(b"\x07" * 50)
    assert [problem.path for problem in open_cache(tmp_path / "cache", RECIPE).verify()] == [
        built.shards[1].path
    ]
    seen = counted(monkeypatch)
    np.testing.assert_array_equal(build_cache(paths, RECIPE, tmp_path / "cache")[:], whole)
    assert sorted(seen) == sorted(paths[20:40])


def test_verify_finds_missing_and_changed_images(paths: list[Path], tmp_path: Path) -> None:
    built = build_cache(paths, RECIPE, tmp_path / "cache")
    assert built.verify() == []
    paths[3].unlink()
    cv2.imwrite(str(paths[60]), np.zeros((7, 9), np.uint8))
    assert [problem.path for problem in built.verify()] == [paths[3], paths[60]]


def test_a_list_that_grew_or_shrank_keeps_what_it_can(
    paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_cache(paths[:30], RECIPE, tmp_path / "cache")
    seen = counted(monkeypatch)
    assert len(build_cache(paths, RECIPE, tmp_path / "cache")) == 70
    assert sorted(seen) == sorted(paths[30:])
    seen.clear()
    shorter = build_cache(paths[:25], RECIPE, tmp_path / "cache")
    assert len(shorter) == 25
    assert not seen


@pytest.mark.parametrize("bad", [b"", b"no image", b"\x89PNG\r\n\x1a\n broken"])
def test_an_unreadable_file_is_listed_and_does_not_stop_the_build(
    paths: list[Path], tmp_path: Path, bad: bytes
) -> None:
    paths[1].write_bytes(bad)
    paths[44].unlink()
    built = build_cache(paths, RECIPE, tmp_path / "cache")
    assert [problem.path for problem in built.problems] == [paths[1], paths[44]]
    assert np.flatnonzero(~built.usable).tolist() == [1, 44]
    assert not built[1].any()
    cv2.imwrite(str(paths[44]), np.full((7, 9), 200, np.uint8))
    again = build_cache(paths, RECIPE, tmp_path / "cache")
    assert [problem.path for problem in again.problems] == [paths[1]]
    assert again[44].all()


def test_an_exception_of_a_decoder_does_not_stop_the_build(
    paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def brittle(path: Path, **options: Any) -> Radiograph:
        if path == paths[9]:
            raise MemoryError("a decoder's own")
        return read_image(path, **options)

    monkeypatch.setattr(cache, "read_image", brittle)
    built = build_cache(paths, RECIPE, tmp_path / "cache")
    assert [problem.path for problem in built.problems] == [paths[9]]
    assert "MemoryError: a decoder's own" in built.problems[0].reason


def test_an_error_is_raised_if_no_image_can_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"None of 2 images can be read; the first: .*a\.png"):
        build_cache([tmp_path / "a.png", tmp_path / "b.png"], RECIPE, tmp_path / "cache")


@pytest.mark.parametrize("change", [{"size": 25}, {"fit": "pad"}, {"contrast": "clahe"}, {"window": 1.0}])
def test_another_preprocessing_is_refused_by_name(
    paths: list[Path], tmp_path: Path, change: dict[str, Any]
) -> None:
    build_cache(paths[:3], RECIPE, tmp_path / "cache")
    other = Preprocessing(**{**RECIPE.as_dict(), **change})
    changed = rf"{next(iter(change))} .*the preprocessing has changed"
    with pytest.raises(InputError, match=changed):
        open_cache(tmp_path / "cache", other)
    with pytest.raises(InputError, match=changed):
        build_cache(paths, other, tmp_path / "cache")


def test_mean_and_deviation_may_change_since_they_are_not_applied(paths: list[Path], tmp_path: Path) -> None:
    build_cache(paths[:3], RECIPE, tmp_path / "cache")
    open_cache(tmp_path / "cache", Preprocessing(size=24, mean=0.1, std=0.9))


def test_a_missing_or_incomplete_cache_is_refused(paths: list[Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no cache"):
        open_cache(tmp_path / "nowhere", RECIPE)
    built = build_cache(paths, RECIPE, tmp_path / "cache")
    built.shards[2].path.with_suffix(".json").unlink()
    with pytest.raises(InputError, match="lacks a part"):
        open_cache(tmp_path / "cache", RECIPE)
    (tmp_path / "cache" / "cache.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        open_cache(tmp_path / "cache", RECIPE)


def test_any_number_of_workers_gives_the_same_bytes(paths: list[Path], tmp_path: Path) -> None:
    before = set(threading.enumerate())  # the process may have other threads
    single = build_cache(paths, RECIPE, tmp_path / "one", workers=1)
    many = build_cache(paths, RECIPE, tmp_path / "many", workers=8)
    np.testing.assert_array_equal(single[:], many[:])
    assert not [thread for thread in set(threading.enumerate()) - before if "Pool" in thread.name]


def test_the_folder_holds_the_manifest_and_the_shards_only(paths: list[Path], tmp_path: Path) -> None:
    build_cache(paths, RECIPE, tmp_path / "cache")
    names = sorted(path.name for path in (tmp_path / "cache").iterdir())
    shards = [f"shard-{number:05}.{kind}" for number in range(4) for kind in ("json", "npy")]
    assert names == ["cache.json", *shards]
    manifest = json.loads((tmp_path / "cache" / "cache.json").read_text())
    assert manifest["preprocessing"]["size"] == 24


def test_an_unreadable_image_is_tried_again_without_rewriting_the_shard(
    paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = paths[3].read_bytes()
    paths[3].write_bytes(b"no picture")
    times = paths[3].stat()
    built = build_cache(paths, RECIPE, tmp_path / "cache")
    shard = (tmp_path / "cache" / "shard-00000.npy").stat().st_mtime_ns
    seen = counted(monkeypatch)
    build_cache(paths, RECIPE, tmp_path / "cache")
    assert seen == [paths[3]]
    assert (tmp_path / "cache" / "shard-00000.npy").stat().st_mtime_ns == shard
    paths[3].write_bytes(data)
    os.utime(paths[3], ns=(times.st_atime_ns, times.st_mtime_ns))
    assert [problem.path for problem in built.problems] == [paths[3]]
    assert not build_cache(paths, RECIPE, tmp_path / "cache").problems


def test_an_image_that_changed_under_an_old_time_is_decoded_again(
    paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_cache(paths, RECIPE, tmp_path / "cache")
    times, other = paths[7].stat(), paths[8].read_bytes()
    paths[7].write_bytes(other)
    os.utime(paths[7], ns=(times.st_atime_ns, times.st_mtime_ns))
    seen = counted(monkeypatch)
    built = build_cache(paths, RECIPE, tmp_path / "cache")
    assert seen == [paths[7]]
    np.testing.assert_array_equal(built[7], built[8])


def test_other_reading_code_decodes_everything_again(
    paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_cache(paths, RECIPE, tmp_path / "cache")
    seen = counted(monkeypatch)
    for module in (cache, shards):
        monkeypatch.setattr(module, "reading_version", lambda: "another")
    build_cache(paths, RECIPE, tmp_path / "cache")
    assert sorted(seen) == sorted(paths)
    seen.clear()
    build_cache(paths, RECIPE, tmp_path / "cache")
    assert not seen
