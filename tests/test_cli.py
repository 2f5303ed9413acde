import csv
import json
import os
import pickle
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

import cxrbench
from cxrbench.cli import main
from cxrbench.compare import bundle
from cxrbench.compare.saved_settings import read_settings
from cxrbench.data import read_image
from cxrbench.data.phantom import KINDS
from cxrbench.explain import METHODS
from cxrbench.inference import predict
from cxrbench.models import create, hub
from cxrbench.preprocess import Preprocessing

LABELS = ("No Finding", "Cardiomegaly", "", "Pleural Effusion")


@pytest.fixture(scope="session")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assets")
    recipe = Preprocessing(size=96)
    model = create(
        "efficientnet_b0", LABELS, name="small", title="Small", preprocessing=recipe, thresholds=(0.3,) * 4
    )
    hub.save(model, folder / "models" / "small")
    return folder


@pytest.fixture(autouse=True)
def here(assets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(assets))
    monkeypatch.setenv("CXRBENCH_MODELS", str(assets / "own"))


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return picture(tmp_path / "film one.png")


def picture(path: Path, seed: int = 0) -> Path:
    samples = np.random.default_rng(seed).integers(0, 256, (60, 50), np.uint8)
    Image.fromarray(samples).save(path)
    return path


def dicom(path: Path, samples: np.ndarray) -> Path:
    """A DICOM file of 8-bit samples (H, W), or of several slices (N, H, W), with a patient's name in it."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(str(path), {}, file_meta=meta, preamble=bytes(128))
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.PatientName, data.PatientID, data.Modality = "Secret^Name", "id-4711", "DX"
    data.Rows, data.Columns = samples.shape[-2:]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
    if samples.ndim == 3:
        data.NumberOfFrames = len(samples)
    data.PixelData = samples.astype(np.uint8).tobytes() + bytes(samples.size % 2)
    pydicom.dcmwrite(path, data, enforce_file_format=True)
    return path


def huge_png(path: Path) -> Path:
    """A PNG of a few bytes that says it has 30,000 × 30,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(30_001 * 10))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )
    return path


def cut_png(path: Path) -> Path:
    data = picture(path).read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "an empty file": (lambda folder: written(folder / "bad.png", b""), "empty"),
    "a truncated PNG": (lambda folder: cut_png(folder / "bad.png"), "damaged"),
    "text named .png": (lambda folder: written(folder / "bad.png", b"hello\n" * 99), "text"),
    "a PNG of 30,000 × 30,000": (lambda folder: huge_png(folder / "bad.png"), "30000"),
    "a 3-D DICOM": (lambda folder: dicom(folder / "bad.dcm", np.zeros((4, 9, 8))), "4"),
    "a missing file": (lambda folder: folder / "bad.png", "no such file"),
    "a folder": (lambda folder: folder, "folder"),
    "a pickle": (lambda folder: written(folder / "bad.png", pickle.dumps([1, 2])), "pickle"),
}


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What a command says that did nothing: one sentence, code 2, no traceback."""
    code = main([str(argument) for argument in arguments])
    out, output = capsys.readouterr()
    assert code == 2, output
    assert out == ""
    assert output.startswith("cxrbench: ")
    assert output.count("\n") == 1
    assert "Traceback" not in output
    return output


def explained(film: Path, out: Path, *more: object) -> int:
    fixed = ("--method", "grad_cam", "--out", out)
    return main(["explain", str(film), *map(str, fixed), *map(str, more)])


@pytest.mark.parametrize("what", BAD)
def test_bad_images_are_refused_with_one_sentence(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make, word = BAD[what]
    bad = make(tmp_path)
    assert word in refused(capsys, "explain", bad, "--out", tmp_path / "out")
    assert word in refused(capsys, "predict", bad)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--finding", "Hernia"), "Cardiomegaly"),
        (("--model", "none"), "small"),
        (("--model", "../nowhere"), "nowhere"),
        (("--model", "small", "--model", "small"), "different name"),
        (("--method", "magic"), "grad_cam"),
        (("--baseline", "pink", "--method", "integrated_gradients"), "black"),
        (("--steps", "0", "--method", "integrated_gradients"), "steps"),
        (("--stage", "-1"), "stage"),
    ],
)
def test_unknown_names_are_refused_with_the_known_ones(
    arguments: tuple[str, ...], word: str, film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert word in refused(capsys, "explain", film, "--out", tmp_path / "out", *arguments)
    assert not (tmp_path / "out").exists()


class Trap:
    """Unpickling it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("place", ["model.pt", "folder/model.pt", "folder/model.safetensors"])
def test_code_in_a_pickle_is_never_executed(
    place: str, film: Path, assets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    if path.suffix == ".safetensors":
        config = (assets / "models" / "small" / "config.json").read_bytes()
        (path.parent / "config.json").write_bytes(config)
    source = path if place == "model.pt" else path.parent
    refused(capsys, "explain", film, "--model", source, "--out", tmp_path / "out")
    refused(capsys, "predict", film, "--model", source)
    assert not (tmp_path / "sprung").exists()


def test_explain_writes_one_picture_per_finding_and_a_bundle_that_loads(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "out"
    more = (
        *("--finding", "cardiomegaly", "Effusion"),  # several behind one word, or each behind its own
        "--method",
        "integrated_gradients",
        "--steps",
        4,
    )
    assert explained(film, out, *more) == 0
    output, progress = capsys.readouterr()
    names = ["film-one-cardiomegaly.png", "film-one-pleural-effusion.png", "film-one.json", "film-one.zip"]
    assert sorted(path.name for path in out.iterdir()) == names
    for name in names:
        assert name in output
    assert "2 of 2 maps computed" in progress
    loaded = bundle.load(out / "film-one.zip")
    assert set(loaded.heat_maps) == {("small", "grad_cam"), ("small", "integrated_gradients")}
    assert loaded.heat_maps["small", "grad_cam"].labels == ("No Finding", "Cardiomegaly", "Pleural Effusion")
    assert len(loaded.source) == 64
    with Image.open(out / names[0]) as shown:
        assert shown.format == "PNG"


def test_explain_writes_a_report_and_pictures_of_the_chosen_format(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, report = tmp_path / "out", tmp_path / "new" / "report.html"
    more = ("--finding", "Cardiomegaly", "--report", report, "--format", "svg")
    assert explained(film, out, *more) == 0
    assert str(report) in capsys.readouterr().out
    names = ["film-one-cardiomegaly.svg", "film-one.json", "film-one.zip"]
    assert sorted(path.name for path in out.iterdir()) == names
    saved = read_settings((out / "film-one.json").read_bytes())
    assert (saved.film, saved.findings) == (film.name, ("Cardiomegaly",))
    assert read_settings(report.read_bytes()) == saved
    assert (out / "film-one-cardiomegaly.svg").read_bytes().startswith(b"<?xml")
    text = report.read_text(encoding="utf8")
    assert f"Heat maps of {film.name}" in text
    assert "report.html" in refused(capsys, "explain", film, "--out", tmp_path / "other", *more)
    image = ("--report", out / "film-one-cardiomegaly.svg", "--force")
    assert "--report must name an HTML file" in refused(capsys, "explain", film, "--out", out, *image)
    below = ("--report", film / "report.html")
    assert "--report must be in a writable folder" in refused(
        capsys, "explain", film, "--out", out, "--force", *below
    )
    assert "--dpi must be from 30 to 600" in refused(capsys, "explain", film, "--out", out, "--dpi", 5)


def test_by_default_the_predicted_findings_are_explained(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explained(film, tmp_path / "out") == 0  # a random network says about .5, all thresholds are .3
    assert len(list((tmp_path / "out").glob("*.png"))) == 3


def test_existing_files_are_kept_unless_forced(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    written(out / "film-one.zip", b"mine")
    assert "film-one.zip" in refused(capsys, "explain", film, "--method", "grad_cam", "--out", out)
    assert (out / "film-one.zip").read_bytes() == b"mine"
    assert explained(film, out, "--force") == 0
    bundle.load(out / "film-one.zip")


def test_an_out_that_is_a_file_is_refused(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--out" in refused(capsys, "explain", film, "--method", "grad_cam", "--out", film)


def test_predict_shows_one_image_as_a_table(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(film), "--model", "small"]) == 0
    output = capsys.readouterr().out
    assert output.startswith("finding ")
    assert len(output.splitlines()) == 4
    assert "above" in output


def test_notes_of_the_reader_are_printed_and_kept_in_the_bundle(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    samples = np.random.default_rng(0).integers(0, 4096, (60, 50), np.uint16)
    path = tmp_path / "deep.png"
    Image.fromarray(samples).save(path)
    note = f"16-bit file read as 12-bit: its samples end at {samples.max()}"
    assert main(["predict", str(path), str(picture(tmp_path / "plain.png"))]) == 0
    assert f"cxrbench: deep.png: {note}\n" in capsys.readouterr().err
    assert explained(path, tmp_path / "out", "--finding", "Cardiomegaly") == 0
    assert f"cxrbench: deep.png: {note}\n" in capsys.readouterr().err
    assert bundle.load(tmp_path / "out" / "deep.zip").note == note


def test_predict_reports_bad_images_scores_the_others_and_exits_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = [picture(tmp_path / f"{seed}.png", seed) for seed in range(3)]
    bad = written(tmp_path / "bad.png", b"")
    table = tmp_path / "scores.csv"
    assert main(["predict", *map(str, (good[0], bad, *good[1:])), "--csv", str(table)]) == 1
    out, output = capsys.readouterr()
    assert len(out.splitlines()) == 3
    assert "bad.png" in output
    assert "1 of 4" in output
    with table.open(newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == ["image", "No Finding", "Cardiomegaly", "Pleural Effusion", "distance", "notices"]
    assert [row[0] for row in rows[1:]] == [str(path) for path in good]
    alone = [scores_alone(path, capsys) for path in good]
    np.testing.assert_allclose([[float(cell) for cell in row[1:4]] for row in rows[1:]], alone, atol=1.1e-3)


def scores_alone(path: Path, capsys: pytest.CaptureFixture[str]) -> list[float]:
    main(["predict", str(path)])
    lines = capsys.readouterr().out.splitlines()[1:]
    output = {line[:28].strip(): float(line[28:].split()[0]) for line in lines}
    return [output[label] for label in LABELS if label]


def chexpert(folder: Path, text: str) -> Path:
    (folder / "train" / "patient00001" / "study1").mkdir(parents=True)
    picture(folder / "train" / "patient00001" / "study1" / "view1_frontal.jpg")
    return written(folder / "train.csv", text.encode())


ROW = "CheXpert-v1.0-small/train/patient0000{}/study1/view1_frontal.jpg,1.0\n"


def test_predict_reads_the_images_that_a_chexpert_csv_lists(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = chexpert(tmp_path, "Path,Edema\n" + ROW.format(1) + ROW.format(2))
    assert main(["predict", str(table)]) == 1  # the second is missing
    out, output = capsys.readouterr()
    assert len(out.splitlines()) == 1
    assert "skipped" in output


def test_check_lists_missing_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = chexpert(tmp_path, "Path,Edema\n" + ROW.format(1) + ROW.format(2))
    assert main(["check", str(table)]) == 1
    out = capsys.readouterr().out
    assert "patient00002" in out
    assert "2 images, 2 patients, 1 problems" in out


@pytest.mark.parametrize("command", ["check", "predict"])
def test_a_csv_without_a_label_column_is_refused(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = chexpert(tmp_path, "Path,Colour\n" + ROW.format(1))
    assert "Cardiomegaly" in refused(capsys, command, table)


def test_phantom_writes_a_data_set_that_passes_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--out", str(tmp_path / "p"), "--patients", "3", "--size", "64", "--workers", "1"]
    assert main(["phantom", *arguments]) == 0
    assert "images simulated" in capsys.readouterr().err
    assert main(["check", str(tmp_path / "p" / "train.csv")]) == 0
    capsys.readouterr()
    refused(capsys, "phantom", "--out", tmp_path / "q", "--patients", "0")


def test_phantom_plants_shortcuts_at_the_given_rates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--out", str(tmp_path / "p"), "--patients", "3", "--size", "64", "--workers", "1"]
    rules = ["--shortcut", "tint:Edema:1:0", "--shortcut", "hospital:Support Devices:0:1"]
    assert main(["phantom", *arguments, *rules]) == 0
    capsys.readouterr()
    with (tmp_path / "p" / "truth.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert all({row[f"Shortcut {kind}"] for row in rows} == {"0", "1"} for kind in ("tint", "hospital"))
    assert all(row["Shortcut tint"] == str(int(float(row["Edema"]))) for row in rows)
    assert all(row["Shortcut hospital"] == str(1 - int(float(row["Support Devices"]))) for row in rows)
    output = refused(capsys, "phantom", *arguments, "--shortcut", "tint")
    assert "KIND:FINDING:RATE" in output
    output = refused(capsys, "phantom", *arguments, *rules, "--shortcut", "tint:Edema:0.5")
    assert "may be given once" in output


def test_phantom_lists_every_kind_of_shortcut(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["phantom", "--help"])
    output = capsys.readouterr().out
    assert all(kind in output for kind in KINDS)


def test_models_and_methods_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    assert capsys.readouterr().out.startswith(
        "small\tSmall\tNo Finding, Cardiomegaly, Pleural Effusion\tunknown\tunknown\t"
    )
    assert main(["methods"]) == 0
    assert [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()] == list(METHODS)


def test_without_any_model_the_message_says_where_to_put_one(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(tmp_path))
    assert "models add" in refused(capsys, "predict", film)


def test_an_interruption_prints_no_traceback(
    film: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cxrbench.cli.predict.load", interrupted)
    assert main(["predict", str(film)]) == 130
    assert capsys.readouterr().err.strip() == "cxrbench: interrupted"


@pytest.mark.parametrize("arguments", [[], ["explain"], ["explain", "x.png"], ["fly"]])
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


@pytest.mark.parametrize("command", ["explain", "predict", "check", "phantom", "models", "methods", "verify"])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert "usage: cxrbench" in capsys.readouterr().out


def test_help_and_version_do_not_wait_for_torch(assets: Path) -> None:
    code = (
        "import sys, contextlib\nfrom cxrbench.cli import main\n"
        "with contextlib.suppress(SystemExit): main(['--help'])\n"
        "with contextlib.suppress(SystemExit): main(['--version'])\n"
        "sys.exit(bool({'torch', 'pandas', 'cv2', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"cxrbench {cxrbench.__version__}" in done.stdout
    assert "never for diagnosis" in " ".join(done.stdout.split())


# Several commands as ``python -m`` would run them, one after the other: a process waits seconds for torch.
COMMANDS = """
import contextlib, json, runpy, sys
codes = []
for command in json.loads(sys.argv[1]):
    sys.argv = ["cxrbench", *command]
    try:
        runpy.run_module("cxrbench.cli", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        codes.append(end.code)
sys.exit(f"exit codes {codes}" if any(codes) else 0)
"""


def test_explain_and_predict_run_in_a_separate_process(film: Path, assets: Path, tmp_path: Path) -> None:
    explain = ["explain", str(film), "--method", "grad_cam", "--finding", "Cardiomegaly"]
    commands = [[*explain, "--out", str(tmp_path / "out")], ["predict", str(film)]]
    process = [sys.executable, "-W", "error", "-c", COMMANDS, json.dumps(commands)]
    environment = {**os.environ, "CXRBENCH_ASSETS": str(assets)}
    done = subprocess.run(process, check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "film-one-cardiomegaly.png").exists()
    table = done.stdout[done.stdout.index("finding ") :]
    scores = {line[:28].strip(): float(line[28:].split()[0]) for line in table.splitlines()[1:]}
    pixels = read_image(film).pixels
    here = predict(hub.load(assets / "models" / "small"), pixels).scores[0]
    wanted = {label: here[index] for index, label in enumerate(LABELS) if label}
    assert scores == pytest.approx(wanted, abs=1.1e-3)


@pytest.mark.parametrize("command", ["models", "--help"])  # those that need not wait for torch
def test_a_closed_pipe_prints_no_traceback(command: str, assets: Path) -> None:
    # Without this setting, as for most people, what is printed waits in a buffer until the process ends.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    line = f"{{ {sys.executable} -m cxrbench.cli {command}; echo $? >&2; }} | true"
    done = subprocess.run(line, shell=True, check=False, capture_output=True, text=True, env=environment)
    assert done.stderr == "1\n"


def test_a_real_radiograph_and_its_dicom_give_the_same_scores(
    real: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = sorted((real / "nih" / "images").glob("*.png"))[0]
    with Image.open(source) as opened:
        samples = np.asarray(opened.convert("L"))
    plain = written(tmp_path / "plain.png", source.read_bytes())
    other = dicom(tmp_path / "other.dcm", samples)
    for path in (plain, other):
        assert explained(path, tmp_path / "out", "--finding", "Cardiomegaly") == 0
    one, two = (bundle.load(tmp_path / "out" / f"{path.stem}.zip") for path in (plain, other))
    assert one.image.shape == samples.shape
    np.testing.assert_allclose(two.image, one.image, atol=1 / 255)
    np.testing.assert_allclose(two.predictions["small"].scores, one.predictions["small"].scores, atol=1e-3)


def test_no_patient_tag_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = dicom(tmp_path / "x.dcm", np.random.default_rng(0).integers(0, 256, (40, 40)))
    assert explained(source, tmp_path / "out", "--finding", "Cardiomegaly") == 0
    out, err = capsys.readouterr()
    with zipfile.ZipFile(tmp_path / "out" / "x.zip") as archive:
        kept = [archive.read(name) for name in archive.namelist()]
    kept += [path.read_bytes() for path in (tmp_path / "out").glob("*.png")]
    for secret in (b"Secret", b"4711"):
        assert secret not in b"".join((*kept, out.encode(), err.encode()))
