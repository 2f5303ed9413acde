from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrbench.data import read_image
from cxrbench.data.nih import read_nih, read_nih_boxes
from cxrbench.data.phantom import render
from cxrbench.errors import InputError
from cxrbench.labels import NIH

V2020 = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,{sex},View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]{comma}\n"
    "00000001_000.png,Cardiomegaly|Emphysema,0,1,{age},M,PA,2682,2749,0.143,0.143{comma}\n"
    "00000002_007.png,No Finding,7,2,{old},F,AP,2500,2048,0.171,0.171{comma}\n"
)
BOXES = "Image Index,Finding Label,Bbox [x,y,w,h],,,\n00000001_000.png,Infiltrate,10.5,20,30,40{comma}\n"


@pytest.mark.parametrize(
    ("sex", "age", "old", "comma"),
    [
        ("Patient Gender", "058Y", "414Y", ","),
        ("Patient Gender", "58", "414", ""),
        ("Patient Sex", "58", "414", ""),
    ],
)
def test_every_version_of_the_file_gives_the_same(sex: str, age: str, old: str, comma: str) -> None:
    studies = read_nih(BytesIO(V2020.format(sex=sex, age=age, old=old, comma=comma).encode()))
    table = studies.table
    assert studies.labels == NIH
    assert table["path"].tolist() == ["00000001_000.png", "00000002_007.png"]
    assert table["patient"].tolist() == ["1", "2"]
    assert table["study"].tolist() == ["1/0", "2/7"]
    assert table["sex"].tolist() == ["M", "F"]
    assert table["projection"].tolist() == ["PA", "AP"]
    assert table["view"].tolist() == ["frontal", "frontal"]
    np.testing.assert_array_equal(table["age"], [58, np.nan])
    present = [NIH.index("Cardiomegaly"), NIH.index("Emphysema")]
    assert np.flatnonzero(studies.targets[0]).tolist() == present
    assert not studies.targets[1].any()


@pytest.mark.parametrize("folder", [".", "images", "images_003/images"])
def test_images_are_found_in_every_published_layout(tmp_path: Path, folder: str) -> None:
    csv = tmp_path / "Data_Entry_2017.csv"
    csv.write_text(V2020.format(sex="Patient Sex", age="58", old="60", comma=""))
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    (tmp_path / folder / "00000001_000.png").touch()
    first, second = read_nih(csv).paths
    assert first.is_file()
    assert second.is_absolute()
    assert second.name == "00000002_007.png"
    assert read_nih(csv, tmp_path).paths[0] == first


@pytest.mark.parametrize("comma", ["", ",,,"])
def test_boxes_are_read_by_position(comma: str) -> None:
    boxes = read_nih_boxes(BytesIO(BOXES.format(comma=comma).encode()))
    assert boxes.to_dict("records") == [
        {
            "image": "00000001_000.png",
            "finding": "Infiltration",
            "x": 10.5,
            "y": 20,
            "width": 30,
            "height": 40,
        }
    ]


def test_files_of_other_data_sets_are_refused() -> None:
    with pytest.raises(InputError, match="Patient ID; give NIH's Data_Entry file"):
        read_nih(BytesIO(b"Image Index,Finding Labels\na.png,Mass\n"))
    with pytest.raises(InputError, match="'Scoliosis'"):
        read_nih(BytesIO(b"Image Index,Finding Labels,Patient ID\na.png,Mass|Scoliosis,1\n"))
    with pytest.raises(InputError, match="BBox_List"):
        read_nih_boxes(BytesIO(b"Image Index,Finding Labels,Patient ID\na.png,Mass,1\n"))
    with pytest.raises(InputError, match="four numbers for the box in row 1"):
        read_nih_boxes(BytesIO(BOXES.replace("20", "").format(comma="").encode()))
    with pytest.raises(InputError, match="'Scoliosis'"):
        read_nih_boxes(BytesIO(BOXES.replace("Infiltrate", "Scoliosis").format(comma="").encode()))


def test_films_labels_and_boxes_in_nihs_form_are_read_together(tmp_path: Path) -> None:
    films = {f"{patient:08}_{visit:03}.png": patient for patient in (1, 2) for visit in range(3)}
    (tmp_path / "images").mkdir()
    for name, patient in films.items():
        phantom = render(patient, {"Cardiomegaly": 1.0}, size=64)
        Image.fromarray(np.rint(phantom.image * 255).astype(np.uint8)).save(tmp_path / "images" / name)
    header, row = V2020.format(sex="Patient Gender", age="58", old="41", comma="").splitlines()[:2]
    rows = [row.replace("00000001_000.png", name).replace(",1,58", f",{films[name]},58") for name in films]
    (tmp_path / "Data_Entry_2017_v2020.csv").write_text("\n".join([header, *rows]) + "\n")
    (tmp_path / "BBox_List_2017.csv").write_text(
        BOXES.format(comma="") + "00000002_002.png,Cardiomegaly,1,2,3,4\n"
    )
    studies = read_nih(tmp_path / "Data_Entry_2017_v2020.csv")
    assert [path.name for path in studies.paths] == list(films)
    assert all(read_image(path).pixels.shape == (64, 64) for path in studies.paths)
    assert studies.table["patient"].nunique() == 2
    assert (studies.table[["Cardiomegaly", "Emphysema"]] == 1).all(axis=None)
    boxes = read_nih_boxes(tmp_path / "BBox_List_2017.csv")
    assert set(boxes["image"]) <= {path.name for path in studies.paths}
    assert len(boxes) == 2


def test_the_real_files_are_read(real: Path) -> None:
    studies = read_nih(real / "nih" / "Data_Entry_2017_v2020.csv")
    assert len(studies) == 200
    assert all(path.is_file() for path in studies.paths)
    boxes = read_nih_boxes(real / "nih" / "BBox_List_2017.csv")
    assert len(boxes) == 6
    assert (boxes["x"] + boxes["width"] < 1024).all()
    findings = studies.table.assign(image=[path.name for path in studies.paths]).set_index("image")
    assert all(findings.loc[str(box.image), str(box.finding)] == 1 for box in boxes.itertuples())


def test_identifiers_stay_text_and_findings_may_be_spelled_otherwise() -> None:
    header = "Image Index,Finding Labels,Follow-up #,Patient ID\n"
    rows = (
        "a.png,pleural effusion|Pleural Thickening,0,00012\nb.png,Infiltrate,0,12\nc.png,No_Finding,0,1e5\n"
    )
    studies = read_nih(BytesIO((header + rows).encode()))
    assert studies.table["patient"].tolist() == ["00012", "12", "1e5"]
    found = [[label for label, value in zip(NIH, row, strict=True) if value] for row in studies.targets]
    assert found == [["Effusion", "Pleural_Thickening"], ["Infiltration"], []]


def test_an_image_that_occurs_twice_is_counted_once_or_refused() -> None:
    header = "Image Index,Finding Labels,Patient ID\n"
    studies = read_nih(BytesIO(f"{header}a.png,Mass,1\na.png,Mass,1\n".encode()))
    assert len(studies) == 1
    assert "1 path occurs more than once" in studies.notes[0]
    with pytest.raises(InputError, match="different labels"):
        read_nih(BytesIO(f"{header}a.png,Mass,1\na.png,Mass|Edema,1\n".encode()))
