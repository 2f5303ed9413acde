"""Boxes and masks of NIH, RSNA, VinDr and SIIM, from small tables in their published form."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from cxrbench.data import read_image
from cxrbench.data.truth import read_nih_regions, read_rsna_regions, read_siim_regions, read_vindr_regions
from cxrbench.errors import InputError


def file(text: str) -> BytesIO:
    return BytesIO(text.encode())


def test_nihs_boxes_are_gathered_by_film_and_finding() -> None:
    first, second = read_nih_regions(
        file(
            "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"
            "00000013_005.png,Infiltrate,60.5,557,256,180,,,\n"
            "00000013_005.png,Infiltrate,1,2,3,4,,,\n"
            "00000014_000.png,Effusion,0,0,10,20,,,\n"
        )
    )
    assert (first.film, first.patient, first.finding) == ("00000013_005", "00000013", "Infiltration")
    assert first.size == (1024, 1024)
    assert first.boxes is not None
    assert first.boxes.tolist() == [[60.5, 557, 316.5, 737], [1, 2, 4, 6]]
    assert second.finding == "Pleural Effusion"
    assert second.runs is None


def test_rsnas_films_without_a_box_are_left_out() -> None:
    (region,) = read_rsna_regions(
        file("patientId,x,y,width,height,Target\na,,,,,0\nb,264.0,152.0,213.0,379.0,1\nb,562,152,256,453,1\n")
    )
    assert (region.film, region.patient, region.finding, region.size) == ("b", "b", "Pneumonia", (1024, 1024))
    assert region.boxes is not None
    assert region.boxes.tolist() == [[264, 152, 477, 531], [562, 152, 818, 605]]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("b,1,2,3,4,2", "a Target of 0 or 1, got '2' in row 1"),
        ("b,,,,,1", "four numbers"),
        ("b,1,2,0,4,1", "a width and a height above 0 for each box"),
    ],
)
def test_rsnas_rows_without_sense_are_refused(row: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_rsna_regions(file(f"patientId,x,y,width,height,Target\n{row}\n"))


def test_vindr_keeps_each_readers_boxes() -> None:
    opacity, heart = read_vindr_regions(
        file(
            "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max\n"
            "a,Lung Opacity,7,R8,10,20,30.5,40\n"
            "a,Lung Opacity,7,R9,12,20,30,40\n"
            "a,Lung Opacity,7,R9,50,60,70,80\n"
            "a,Cardiomegaly,3,R9,1,2,3,4\n"
            "b,No finding,14,R8,,,,\n"
        )
    )
    assert (opacity.film, opacity.finding, opacity.size) == ("a", "Lung Opacity", None)
    assert opacity.readers == ("R8", "R9", "R9")
    assert opacity.boxes is not None
    assert opacity.boxes.tolist() == [[10, 20, 30.5, 40], [12, 20, 30, 40], [50, 60, 70, 80]]
    assert heart.readers == ("R9",)


def test_vindrs_findings_need_a_box() -> None:
    header = "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max\n"
    with pytest.raises(InputError, match="for box 1"):
        read_vindr_regions(file(f"{header}a,Cardiomegaly,3,R9,,,,\n"))
    with pytest.raises(InputError, match="for box 2"):
        read_vindr_regions(file(f"{header}a,Cardiomegaly,3,R9,1,2,3,4\na,Cardiomegaly,3,R9,3,2,1,4\n"))


def test_siims_masks_go_down_the_columns_and_several_rows_are_united() -> None:
    (region,) = read_siim_regions(
        file("ImageId, EncodedPixels\n1.2.3.4,1024 3 1021 2\n5.6.7,-1\n1.2.3.4,1025 4\n5.6.8, -1\n")
    )
    assert (region.film, region.finding, region.size) == ("1.2.3.4", "Pneumothorax", (1024, 1024))
    expected = np.zeros((1024, 1024), bool)
    expected[0:3, 1] = True
    expected[0:2, 2] = True
    expected[1:5, 1] = True
    assert region.runs is not None
    assert np.array_equal(region.runs.mask(), expected)


def test_siims_runs_outside_the_image_name_the_film() -> None:
    with pytest.raises(InputError, match=r"1\.2\.3: A mask must be pairs"):
        read_siim_regions(file("ImageId, EncodedPixels\n1.2.3,1048575 2\n"))


def test_nihs_published_boxes_lie_on_their_films() -> None:
    folder = Path(__file__).resolve().parents[3].parent / "shared" / "real" / "nih"
    if not folder.is_dir():
        pytest.skip("the films are not there")
    regions = read_nih_regions(folder / "BBox_List_2017.csv")
    assert len(regions) >= 6
    for region in regions:
        image = read_image(folder / "images" / f"{region.film}.png").pixels
        assert region.boxes is not None
        assert image.shape == (512, 512)
        assert (region.boxes >= 0).all()
        assert (region.boxes <= 1024).all()
