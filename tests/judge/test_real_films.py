"""Maps on real films judged against published masks and boxes: small films, and truth in other pixels."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from cxrbench.cli import main
from cxrbench.data.truth import TRUTHS, Region, Runs, film_files, truth_file
from cxrbench.errors import InputError
from cxrbench.explain import Context, explain
from cxrbench.judge import CRITERIA, box_mask, enlarged, hit, relevance_mass
from cxrbench.judge.film_truth import RealFilm, Truth, truth_on_film
from cxrbench.judge.phantoms import Judgement
from cxrbench.judge.real_films import judge_real_film
from cxrbench.labels import CHEXPERT
from cxrbench.models import Classifier, create
from cxrbench.models.hub import save
from cxrbench.preprocess import Preprocessing
from cxrbench.workflows.judge_real import RealSettings, judge_real

BOXES = np.array([[256.0, 128, 512, 640]])


def classifier(**preprocessing: Any) -> Classifier:
    settings = Preprocessing(**{"size": 64, **preprocessing})
    return create("efficientnet_b0", CHEXPERT, preprocessing=settings, seed=3).requires_grad_(False)


@pytest.fixture(scope="module")
def model() -> Classifier:
    return classifier()


def region(**changes: Any) -> Region:
    values = {"film": "a", "patient": "p", "finding": "Edema", "size": (1024, 1024), "boxes": BOXES}
    return Region(**{**values, **changes})


def film(shape: tuple[int, int] = (96, 96)) -> np.ndarray:
    return np.random.default_rng(0).random(shape, dtype=np.float32)


def test_boxes_are_moved_to_the_pixels_of_the_film() -> None:
    truth = truth_on_film(region(), (512, 512))
    assert truth is not None
    assert truth.mask is None
    assert truth.boxes.tolist() == [[128, 64, 256, 320]]


def test_a_film_of_another_shape_is_not_the_annotated_one() -> None:
    turned = region(size=(2320, 2828), boxes=None, runs=Runs.empty((2320, 2828)))
    assert truth_on_film(turned, (232, 283)) is not None  # a smaller copy
    with pytest.raises(
        InputError, match=r"a: the film has 283 × 232 pixels \(height × width\), its annotation is"
    ):
        truth_on_film(turned, (283, 232))
    with pytest.raises(InputError, match="a: a box reaches to 640 pixels, beyond the film of 320 × 320"):
        truth_on_film(region(size=None), (320, 320))


def test_of_several_readers_two_must_agree_on_a_pixel() -> None:
    boxes = np.array([[0.0, 0, 10, 10], [5, 0, 15, 10], [5, 5, 30, 10], [20, 0, 25, 3]])
    truth = truth_on_film(region(size=None, boxes=boxes, readers=("R1", "R2", "R2", "R3")), (20, 40))
    assert truth is not None
    assert truth.mask is not None
    expected = np.zeros((20, 40), bool)
    expected[0:10, 5:10] = True  # of R1 and R2; where R2 drew twice, that is one reader
    assert np.array_equal(truth.mask, expected)
    assert len(truth.boxes) == 4
    assert truth_on_film(region(size=None, boxes=boxes[:1], readers=("R1",)), (20, 40)) is None


def test_the_regions_of_a_mask_have_boxes() -> None:
    mask = np.zeros((20, 40), bool)
    mask[2:5, 3:9] = mask[10:12, 20:30] = True
    truth = truth_on_film(region(size=(20, 40), boxes=None, runs=Runs.of(mask)), (20, 40))
    assert truth is not None
    assert truth.boxes.tolist() == [[3, 2, 9, 5], [20, 10, 30, 12]]
    large = truth_on_film(region(size=(20, 40), boxes=None, runs=Runs.of(mask)), (40, 80))
    assert large is not None
    assert large.mask is not None
    assert large.mask.sum() == 4 * mask.sum()


def judged(model: Classifier, image: np.ndarray, truth: dict[str, Truth], *names: str) -> list[Judgement]:
    criteria = [CRITERIA[name] for name in names]
    return list(judge_real_film(model, RealFilm(image, "p", truth), ["grad_cam"], criteria))


def test_maps_are_compared_at_the_resolution_of_the_film(model: Classifier) -> None:
    mask = box_mask(np.array([[10, 20, 40, 70]]), (96, 128))
    image = film((96, 128))
    found = judged(model, image, {"edema": Truth(mask, np.zeros((0, 4)))}, "hit", "relevance_mass", "box_iou")
    (last,) = explain(model, model.spec.preprocessing(image)[None], [CHEXPERT.index("Edema")], ["grad_cam"])
    relevance = enlarged(last.maps[0, 0].numpy(), (96, 128))
    assert [each.value for each in found[:2]] == [hit(relevance, mask), relevance_mass(relevance, mask)]
    assert np.isnan(found[2].value)  # no box
    assert {each.finding for each in found} == {"Edema"}


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_what_the_network_does_not_see_is_not_judged(fit: str) -> None:
    model = classifier(fit=fit)
    image = film((96, 128))  # the square in it begins at column 16, the one around it 16 rows above
    mask = np.zeros((96, 128), bool)
    mask[30:50, 0:40] = True
    found = judged(
        model, image, {"Edema": Truth(mask, np.array([[0.0, 30, 40, 50]]))}, "relevance_mass", "box_iobb"
    )
    (last,) = explain(model, model.spec.preprocessing(image)[None], [CHEXPERT.index("Edema")], ["grad_cam"])
    size = (96, 96) if fit == "crop" else (128, 128)
    seen = np.zeros(size, bool)
    if fit == "crop":
        seen[30:50, 0:24] = True
    else:
        seen[46:66, 0:40] = True
    assert found[0].value == relevance_mass(enlarged(last.maps[0, 0].numpy(), size), seen)
    outside = np.zeros((96, 128), bool)
    outside[:, :10] = True
    if fit == "crop":
        values = judged(
            model, image, {"Edema": Truth(outside, np.array([[0.0, 0, 10, 96]]))}, "hit", "box_iou"
        )
        assert np.isnan([each.value for each in values]).all()


def test_a_film_that_is_framed_in_black_is_judged_where_its_map_lies() -> None:
    model = classifier(size=(64, 96), fit="letterbox")
    image = film((96, 96))  # fills the middle 64 columns of the input, which is 144 of its pixels wide
    mask = np.zeros((96, 96), bool)
    mask[30:50, 0:40] = True
    (found,) = judged(model, image, {"Edema": Truth(mask, np.zeros((0, 4)))}, "relevance_mass")
    (last,) = explain(model, model.spec.preprocessing(image)[None], [CHEXPERT.index("Edema")], ["grad_cam"])
    seen = np.zeros((96, 144), bool)
    seen[30:50, 24:64] = True
    assert found.value == relevance_mass(enlarged(last.maps[0, 0].numpy(), (96, 144)), seen)


def test_criteria_of_the_model_are_computed_on_its_input(model: Classifier) -> None:
    truth = {name: Truth(None, BOXES / 16) for name in ("Edema", "Fracture", "Scoliosis")}
    found = judged(model, film(), truth, "sparseness", "finding_swap", "average_drop", "deletion_blur")
    assert len(found) == 2 * 4  # of the findings that the model knows
    assert np.isfinite([each.value for each in found if each.criterion != "finding_swap"]).all()
    with pytest.raises(InputError, match="single_deletion cannot be computed on real films: it needs"):
        judged(model, film(), truth, "single_deletion")


def test_the_location_prior_leaves_out_the_patients_own_boxes(model: Classifier) -> None:
    prior = "location_prior(films=nih)"
    image = model.spec.preprocessing(film())[None]
    truth = {"Cardiomegaly": Truth(None, BOXES / 16)}
    criteria = [CRITERIA["relevance_mass"]]
    values = []
    for patient in ("00013118", ""):
        seen = RealFilm(film(), patient, truth)
        values += [each.value for each in judge_real_film(model, seen, [prior], criteria)]
        index = [CHEXPERT.index("Cardiomegaly")]
        (last,) = explain(model, image, index, [prior], context=Context(patient=patient))
        mask = box_mask(BOXES / 16, (96, 96))
        assert values[-1] == relevance_mass(enlarged(last.maps[0, 0].numpy(), (96, 96)), mask)


def written(folder: Path) -> Path:
    """Four small films of two patients below a folder, one of them unreadable, and NIH's boxes of five."""
    for name in ("00000001_000", "00000001_001", "00000002_000"):
        (folder / "images").mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / "images" / f"{name}.png"), (255 * film((64, 64))).astype(np.uint8))
    (folder / "images" / "00000003_000.png").write_bytes(b"no picture")
    rows = [
        *(
            f"0000000{patient}_00{number}.png,Cardiomegaly,256,128,512,512,,,"
            for patient, number in ((1, 0), (1, 1))
        ),
        "00000002_000.png,Effusion,0,512,400,400,,,",
        "00000002_000.png,Nodule,10,10,30,30,,,",
        "00000003_000.png,Effusion,0,512,400,400,,,",
        "00000004_000.png,Effusion,0,512,400,400,,,",
    ]
    table = folder / "boxes.csv"
    table.write_text("\n".join(["Image Index,Finding Label,Bbox [x,y,w,h],,,", *rows]) + "\n")
    return table


def settings_of(folder: Path, **changes: Any) -> RealSettings:
    methods = ("grad_cam", "random", "twin_integrated_gradients")
    values = {"annotations": written(folder), "methods": methods, "criteria": ("hit", "box_iou"), **changes}
    return RealSettings("nih", folder, **values)


def test_films_are_found_read_judged_and_resumed(tmp_path: Path, model: Classifier) -> None:
    settings = settings_of(tmp_path)
    said: list[str] = []
    counts: list[tuple[int, int]] = []
    folder = judge_real(
        tmp_path / "out",
        {"small": model},
        settings,
        say=said.append,
        progress=lambda *count: counts.append(count),
    )
    assert folder is not None
    table = folder.rows("small")
    assert counts[0] == (0, 4)
    assert counts[-1] == (4, 4)
    assert len(table) == 3 * 2 * 2  # films × methods without a twin × criteria; one finding each
    assert table.groupby("film", observed=True)["patient"].first().to_dict() == {
        "00000001_000": 0,
        "00000001_001": 0,
        "00000002_000": 2,
    }
    assert said[0] == "left out, since no model knows them: Nodule"
    assert said[1].startswith("1 of 5 annotated films have no image")
    assert said[2].startswith("left out: 00000003_000.png")
    path = tmp_path / "out" / "films" / "small" / "00001.parquet"
    before = path.stat().st_mtime_ns
    again = judge_real(tmp_path / "out", {"small": model}, settings)
    assert again is not None
    assert path.stat().st_mtime_ns == before
    pd.testing.assert_frame_equal(again.rows("small"), table)


def test_other_images_are_other_results(tmp_path: Path, model: Classifier) -> None:
    settings = settings_of(tmp_path, films=1)
    judge_real(tmp_path / "out", {"small": model}, settings)
    more = settings_of(tmp_path, films=2)
    assert judge_real(tmp_path / "out", {"small": model}, more) is not None
    (tmp_path / "images" / "00000001_000.png").unlink()
    with pytest.raises(InputError, match=r"results of other settings \(images\)"):
        judge_real(tmp_path / "out", {"small": model}, more)


def test_the_command_judges_a_folder_of_images(
    tmp_path: Path, model: Classifier, capsys: pytest.CaptureFixture[str]
) -> None:
    annotations = written(tmp_path)
    save(model, tmp_path / "model")
    given = ["judge", "--truth", "nih", "--data", tmp_path, "--annotations", annotations]
    options = ["--only", "Cardiomegaly", "--model", tmp_path / "model", "--method", "grad_cam", "random"]
    assert (
        main([*map(str, given), *map(str, options), "--criterion", "hit", "--out", str(tmp_path / "out")])
        == 0
    )
    printed = capsys.readouterr().out
    assert ", 2 films, mean (95 % interval by patient)" in printed
    assert set(pd.read_csv(tmp_path / "out" / "summary.csv")["method"]) == {"grad_cam", "random"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--truth", "mimic"], "Unknown data set 'mimic'"),
        (["--truth", "nih"], "--truth nih needs --data"),
        (["--truth", "nih", "--data", "x", "--shortcut", "letter"], "--shortcut is for phantoms"),
        (["--truth", "chexlocalize", "--data", "x", "--maps", "y"], "--maps is for CheXlocalize's files"),
        (["--truth", "chexlocalize", "--maps", "y"], "The annotations of CheXlocalize are needed"),
        (["--data", "x"], "--data is for real films; give --truth"),
        (["--all-films"], "--all-films is for real films"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    assert main(["judge", *options, "--out", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err


def test_a_folder_without_annotated_films_is_refused(tmp_path: Path, model: Classifier) -> None:
    settings = RealSettings("nih", tmp_path, methods=("random",), criteria=("hit",))
    with pytest.raises(InputError, match=r"None of .* films of NIH ChestX-ray14 with a finding"):
        judge_real(tmp_path / "out", {"small": model}, settings)


def test_image_files_are_found_by_name_or_by_the_end_of_their_path(tmp_path: Path) -> None:
    names = ("valid/patient1/study1/view1_frontal.jpg", "dicom/1.2.276.850819.DCM", "b.png", "notes.txt")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    films = ("1.2.276.850819", "patient1_study1_view1_frontal", "b", "c")
    found = film_files(tmp_path, films)
    assert list(found) == list(films[:3])
    assert found["patient1_study1_view1_frontal"] == tmp_path / names[0]
    (tmp_path / "dicom" / "b.jpeg").touch()
    with pytest.raises(InputError, match="b has two image files"):
        film_files(tmp_path, films)
    with pytest.raises(InputError, match="There is no folder"):
        film_files(tmp_path / "none", films)


@pytest.mark.parametrize("name", [name for name, source in TRUTHS.items() if source.packaged])
def test_torchxrayvision_contains_the_annotations(name: str) -> None:
    assert truth_file(name).is_file()
