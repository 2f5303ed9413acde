import contextlib
import io
import json
import math
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxrbench.compare import DISCLAIMER, Comparison, bundle, notes
from cxrbench.errors import InputError

Change = Callable[[dict[str, Any]], Any]


def saved(comparison: Comparison) -> bytes:
    buffer = io.BytesIO()
    bundle.save(comparison, buffer)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def whole(computed: Comparison) -> bytes:
    return saved(computed)


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(contents: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED, *, level: int = 6) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method, compresslevel=level) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    if hasattr(one, "__dataclass_fields__"):
        return type(one) is type(other) and all(
            same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one)
        )
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    return bool(one == other)


def refused(data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        bundle.load(data)
    message = str(caught.value)
    assert message.startswith("The bundle")
    assert "\n" not in message
    return message


def changed(comparison: Comparison, change: Change) -> bytes:
    contents = members(saved(comparison))
    document = json.loads(contents["settings.json"])
    change(document)
    return zipped({**contents, "settings.json": json.dumps(document).encode()})


def with_arrays(comparison: Comparison, change: Change) -> bytes:
    contents = members(saved(comparison))
    with np.load(io.BytesIO(contents["maps.npz"])) as stored:
        arrays: dict[str, Any] = dict(stored)
    change(arrays)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return zipped({**contents, "maps.npz": buffer.getvalue()})


def test_a_bundle_loads_as_the_saved_comparison_bit_for_bit(computed: Comparison, tmp_path: Path) -> None:
    bundle.save(computed, tmp_path / "b.zip")
    assert same(bundle.load(tmp_path / "b.zip"), computed)
    assert same(bundle.load(saved(computed)), computed)
    assert same(bundle.load(io.BytesIO(saved(computed))), computed)


def test_the_same_comparison_gives_the_same_bytes(computed: Comparison) -> None:
    assert saved(computed) == saved(computed)
    assert saved(bundle.load(saved(computed))) == saved(computed)


@pytest.mark.parametrize("levels", [255, 65535, 4095, None])
def test_pixels_of_any_depth_are_restored_exactly(
    made: Callable[..., Comparison], levels: int | None
) -> None:
    image = np.random.default_rng(0).random((9, 7)).astype(np.float32)
    if levels:
        image = (np.rint(image.astype(np.float64) * levels) / levels).astype(np.float32)
    assert np.array_equal(bundle.load(saved(made(np.eye(3)[None], image=image))).image, image)


def test_eight_bit_pictures_are_stored_once_as_png(computed: Comparison) -> None:
    with np.load(io.BytesIO(members(saved(computed))["maps.npz"])) as arrays:
        assert "image" not in arrays.files


def test_a_bundle_without_stability_has_no_note_about_it(computed: Comparison) -> None:
    def forget(document: Any) -> None:
        for record in document["heat_maps"]:
            del record["stable"]

    old = bundle.load(changed(computed, forget))
    assert all(heat.stable.size == 0 for heat in old.heat_maps.values())
    assert not any("unstable" in note for note in notes(old, "small", "grad_cam", "Cardiomegaly"))


def test_other_programs_can_read_a_bundle(computed: Comparison) -> None:
    contents = members(saved(computed))
    assert set(contents) == {"settings.json", "maps.npz", "image.png"}
    document = json.loads(contents["settings.json"])
    assert document["disclaimer"] == DISCLAIMER
    assert document["format"] == bundle.FORMAT
    assert {"cxrbench", "torch", "timm", "numpy", "python"} <= set(document["versions"])
    with np.load(io.BytesIO(contents["maps.npz"]), allow_pickle=False) as arrays:
        assert arrays["maps_0"].dtype == np.float32
        assert arrays["maps_0"].shape[0] == 3


def test_problems_and_missing_numbers_are_restored(made: Callable[..., Comparison]) -> None:
    odd = made(np.empty((0, 0, 0)), problem="no feature map", seconds=float("nan"), stage=None)
    assert same(bundle.load(saved(odd)), odd)


def test_the_note_on_reading_the_film_is_restored(computed: Comparison) -> None:
    noted = replace(computed, note="16-bit file read as 12-bit: its samples end at 4095; " * 20)
    assert bundle.load(saved(noted)).note == noted.note
    older = changed(computed, lambda document: document.pop("note"))
    assert bundle.load(older).note == ""


def test_the_distance_from_the_training_films_is_restored_and_said(computed: Comparison) -> None:
    (name, prediction), *_ = computed.predictions.items()
    far = replace(computed, predictions={name: replace(prediction, distance=2.5)}, truth={})
    assert bundle.load(saved(far)).predictions[name].distance == 2.5
    notices = json.loads(members(saved(far))["settings.json"])["notices"]
    assert any("(2.5 times the limit)" in text for text in notices)

    def without(document: dict[str, Any]) -> None:
        del document["notices"]
        for record in document["predictions"]:
            del record["distance"]

    older = bundle.load(changed(far, without))  # as version 0.1 wrote them
    assert math.isnan(older.predictions[name].distance)


def test_opening_a_bundle_does_not_import_torch(computed: Comparison, tmp_path: Path) -> None:
    bundle.save(computed, tmp_path / "b.zip")
    code = (
        "import sys; from cxrbench.compare import bundle; "
        f"bundle.load({str(tmp_path / 'b.zip')!r}); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("data", [b"", b"PK", b"no zip at all", b"PK\x03\x04" + bytes(200)])
def test_a_file_that_is_not_a_zip_is_refused(data: bytes) -> None:
    assert "not a ZIP" in refused(data)


def test_a_missing_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        bundle.load(tmp_path / "none.zip")


def test_a_cut_or_damaged_file_is_refused(computed: Comparison) -> None:
    data = saved(computed)
    refused(data[: len(data) // 2])
    damaged = bytearray(data)
    damaged[len(data) // 3] ^= 0xFF
    refused(bytes(damaged))


@pytest.mark.parametrize("name", ["settings.json", "maps.npz", "image.png"])
def test_a_missing_member_is_named(name: str, computed: Comparison) -> None:
    contents = members(saved(computed))
    del contents[name]
    assert name in refused(zipped(contents))


@pytest.mark.parametrize("name", ["../evil.txt", "/etc/x", "a/b", "..\\x", ".hidden", "extra.txt"])
def test_other_names_are_refused_and_nothing_is_written(
    name: str, computed: Comparison, tmp_path: Path
) -> None:
    refused(zipped({**members(saved(computed)), name: b"x"}))
    assert list(tmp_path.iterdir()) == []


def test_two_members_of_one_name_are_refused(computed: Comparison) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("settings.json", b"{}")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("settings.json", b"{}")
    assert "two files of one name" in refused(buffer.getvalue())


def test_a_bomb_is_refused_by_its_declared_size_before_it_is_unpacked(computed: Comparison) -> None:
    contents = members(saved(computed))
    contents["maps.npz"] = bytes(300 * 2**20)
    assert "MiB" in refused(zipped(contents, level=1))  # the fastest to pack


def test_a_bomb_inside_the_npz_is_refused_too(computed: Comparison) -> None:
    contents = members(saved(computed))
    contents["maps.npz"] = zipped({"maps_0.npy": bytes(300 * 2**20)}, level=1)
    assert "MiB" in refused(zipped(contents))


def test_a_directory_that_declares_a_wrong_size_is_refused(computed: Comparison) -> None:
    data = bytearray(zipped({**members(saved(computed)), "settings.json": b" " * 50_000_000}))
    place = data.rindex(b"PK\x01\x02", 0, data.rindex(b"settings.json"))
    data[place + 24 : place + 28] = (100).to_bytes(4, "little")
    refused(bytes(data))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressions_that_need_much_memory_are_refused(method: int, computed: Comparison) -> None:
    assert "unusual" in refused(zipped(members(saved(computed)), method))


@pytest.mark.parametrize(
    "text", [b"", b"[", b"[]", b"null", b"{}", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"format": true}']
)
def test_settings_that_are_not_an_object_of_this_format_are_refused(
    text: bytes, computed: Comparison
) -> None:
    refused(zipped({**members(saved(computed)), "settings.json": text}))


def test_a_later_format_asks_for_an_update(computed: Comparison) -> None:
    assert "update cxrbench" in refused(changed(computed, lambda d: d.update(format=bundle.FORMAT + 1)))


def test_findings_view_and_titles_of_models_are_restored(computed: Comparison) -> None:
    shown = replace(computed, findings=("Pleural Effusion", "Cardiomegaly"), view="Lateral")
    titled = replace(computed.predictions["small"], title="A small network")
    loaded = bundle.load(saved(replace(shown, predictions={"small": titled})))
    assert loaded.findings == ("Pleural Effusion", "Cardiomegaly")
    assert loaded.view == "Lateral"
    assert loaded.predictions["small"].title == "A small network"


def test_a_bundle_of_the_first_format_still_opens(computed: Comparison) -> None:
    def as_first(document: dict[str, Any]) -> None:
        document["format"] = 1
        for key in ("findings", "view"):
            del document[key]
        for prediction in document["predictions"]:
            del prediction["title"]

    loaded = bundle.load(changed(computed, as_first))
    assert (loaded.findings, loaded.view, loaded.predictions["small"].title) == ((), "", "")
    assert same(loaded.heat_maps, dict(computed.heat_maps))


CHANGES: dict[str, Change] = {
    "note of lines": lambda d: d.update(note="one\ntwo"),
    "no predictions": lambda d: d.pop("predictions"),
    "predictions an object": lambda d: d.update(predictions={}),
    "prediction a number": lambda d: d.update(predictions=[3]),
    "a prediction twice": lambda d: d["predictions"].append(d["predictions"][0]),
    "score text": lambda d: d["predictions"][0]["scores"].__setitem__(0, "high"),
    "score above one": lambda d: d["predictions"][0]["scores"].__setitem__(0, 1.5),
    "score null": lambda d: d["predictions"][0]["scores"].__setitem__(0, None),
    "score too large for a float": lambda d: d["predictions"][0]["logits"].__setitem__(0, 10**400),
    "too few scores": lambda d: d["predictions"][0]["scores"].pop(),
    "labels a text": lambda d: d["predictions"][0].update(labels="abc"),
    "labels twice": lambda d: d["predictions"][0].update(labels=["a", "a", "b"]),
    "label a control character": lambda d: d["predictions"][0].update(labels=["\x1b[2J", "b", "c"]),
    "model a list": lambda d: d["predictions"][0].update(model=[]),
    "settings missing": lambda d: d.pop("settings"),
    "steps text": lambda d: d["settings"].update(steps="50"),
    "steps true": lambda d: d["settings"].update(steps=True),
    "stage below zero": lambda d: d["settings"].update(stage=-1),
    "models a number": lambda d: d["settings"].update(models=7),
    "source huge": lambda d: d.update(source="x" * 10_000),
    "view unknown": lambda d: d.update(view="![](http://a.b/c.png)"),
    "findings a text": lambda d: d.update(findings="Edema"),
    "title a list": lambda d: d["predictions"][0].update(title=[]),
    "truth two": lambda d: d.update(truth={"Cardiomegaly": 2}),
    "truth true": lambda d: d.update(truth={"Cardiomegaly": True}),
    "truth a list": lambda d: d.update(truth=[]),
    "masks unknown": lambda d: d["masks"].append("Edema"),
    "a heat map too many": lambda d: d["heat_maps"].append(d["heat_maps"][0]),
    "a heat map twice": lambda d: d["heat_maps"].__setitem__(1, d["heat_maps"][0]),
    "progress above one": lambda d: d["heat_maps"][0].update(progress=2),
    "progress null": lambda d: d["heat_maps"][0].update(progress=None),
    "signed a number": lambda d: d["heat_maps"][0].update(signed=1),
    "remarks of findings a text": lambda d: d["heat_maps"][0].update(finding_remarks="x"),
    "one remark for all findings": lambda d: d["heat_maps"][0].update(finding_remarks=["x"]),
    "remarks a text": lambda d: d["heat_maps"][0].update(remarks="x"),
    "labels of other number": lambda d: d["heat_maps"][0]["labels"].append("Edema"),
    "completeness short": lambda d: d["heat_maps"][0].update(completeness=[1.0]),
    "stable short": lambda d: d["heat_maps"][0].update(stable=[True]),
    "stable a number": lambda d: d["heat_maps"][0]["stable"].__setitem__(0, 1),
    "a problem beside maps": lambda d: d["heat_maps"][0].update(problem="none"),
    "preprocessing a list": lambda d: d["heat_maps"][0].update(preprocessing=[]),
    "preprocessing unknown": lambda d: d["heat_maps"][0]["preprocessing"].update(colour=1),
    "preprocessing fit": lambda d: d["heat_maps"][0]["preprocessing"].update(fit="squash"),
    "preprocessing fit a list": lambda d: d["heat_maps"][0]["preprocessing"].update(fit=["pad"]),
    "preprocessing size text": lambda d: d["heat_maps"][0]["preprocessing"].update(size="big"),
    "preprocessing size three": lambda d: d["heat_maps"][0]["preprocessing"].update(size=[8, 8, 8]),
    "preprocessing size of lists": lambda d: d["heat_maps"][0]["preprocessing"].update(size=[[8], 8]),
    "preprocessing std zero": lambda d: d["heat_maps"][0]["preprocessing"].update(std=0),
}


@pytest.mark.parametrize("name", CHANGES)
def test_an_invalid_value_in_the_settings_is_refused_with_one_sentence(
    name: str, computed: Comparison
) -> None:
    refused(changed(computed, CHANGES[name]))


def spoil(key: str, value: Callable[[np.ndarray], Any]) -> Change:
    return lambda arrays: arrays.__setitem__(key, value(arrays[key]))


ARRAYS: dict[str, Change] = {
    "missing": lambda a: a.pop("maps_0"),
    "not finite": spoil("maps_0", lambda m: np.where(m == m.max(), np.nan, m).astype(np.float32)),
    "infinite": spoil("maps_0", lambda m: np.full_like(m, np.inf)),
    "two dimensions": spoil("maps_0", lambda m: m[0]),
    "too few maps": spoil("maps_0", lambda m: m[:1]),
    "float64": spoil("maps_0", lambda m: m.astype(np.float64)),
    "objects": spoil("maps_0", lambda m: np.array([{"a": print}], object)),
    "records": spoil("maps_0", lambda m: np.zeros(3, [("a", "f4")])),
    "text": spoil("maps_0", lambda m: np.array(["x"])),
    "big endian": spoil("maps_0", lambda m: m.astype(">f4")),
    "fortran": spoil("maps_0", np.asfortranarray),
    "mask of other size": spoil("mask_0", lambda m: m[:5]),
    "mask of numbers": spoil("mask_0", lambda m: m.astype(np.float32)),
    "image of other size": lambda a: a.update(image=np.zeros((3, 3), np.float32)),
    "image above one": lambda a: a.update(image=np.full((80, 100), 2, np.float32)),
    "image not finite": lambda a: a.update(image=np.full((80, 100), np.nan, np.float32)),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_an_invalid_array_is_refused_with_one_sentence(name: str, computed: Comparison) -> None:
    refused(with_arrays(computed, ARRAYS[name]))


@pytest.mark.parametrize("shape", ["(1000000000, 1000000000, 64)", "(-1, -7, 7)", "(3, 7)", "(True,)", "'x'"])
def test_an_array_that_declares_a_wrong_shape_is_refused(shape: str, computed: Comparison) -> None:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    wrong = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(3 * 49 * 4)
    contents = members(saved(computed))
    arrays = members(contents["maps.npz"])
    refused(zipped({**contents, "maps.npz": zipped({**arrays, "maps_0.npy": wrong})}))


@pytest.mark.parametrize("picture", [b"", b"text", b"\x89PNG\r\n\x1a\n" + bytes(50)])
def test_a_damaged_picture_is_refused(picture: bytes, computed: Comparison) -> None:
    assert "image.png" in refused(zipped({**members(saved(computed)), "image.png": picture}))


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4))
def test_bytes_changed_at_random_load_or_are_refused(whole: bytes, changes: list[tuple[float, int]]) -> None:
    data = bytearray(whole)
    for place, value in changes:
        data[int(place * len(data))] = value
    with contextlib.suppress(InputError):
        bundle.load(bytes(data))
