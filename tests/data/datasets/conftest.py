"""Small copies of published data sets in their own files' forms, written by the tests themselves."""

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def film(path: Path, seed: int = 0) -> None:
    """A small picture of noise, in PNG whatever the suffix says: readers go by the bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (16, 16), np.uint8)).save(buffer, "PNG")
    path.write_bytes(buffer.getvalue())


def chexpert(root: Path) -> None:
    for seed, split in enumerate(("train", "valid", "test")):
        patient = f"{split}/patient0000{seed}/study1/view1_frontal.jpg"
        film(root / patient, seed)
        (root / f"{split}.csv").write_text(
            f"Path,Sex,Age,Frontal/Lateral,AP/PA,Edema,Pleural Effusion\n"
            f"CheXpert-v1.0-small/{patient},Male,61,Frontal,AP,1,-1\n"
        )
    (root / "train_visualCheXbert.csv").write_text(
        "Path,Edema,Pleural Effusion\nCheXpert-v1.0-small/train/patient00000/study1/view1_frontal.jpg,0,1\n"
    )


def chexpert_test_labels(root: Path) -> None:
    film(root / "test" / "patient64741" / "study1" / "view1_frontal.jpg")
    (root / "test_labels.csv").write_text(
        "Study,Edema,Pleural Effusion\nCheXpert-v1.0/test/patient64741/study1,1,0\n"
    )


def chexpert_plus(root: Path) -> None:
    for seed, split in enumerate(("train", "valid")):
        film(root / "PNG" / split / f"patient0000{seed}" / "study1" / "view1_frontal.png", seed)
    places = (f"{split}/patient0000{i}/study1" for i, split in enumerate(("train", "valid")))
    images = [f"{place}/view1_frontal.jpg" for place in places]
    (root / "chexbert_labels").mkdir()
    for name, edema in (("findings_fixed", 0.0), ("impression_fixed", 1.0), ("report_fixed", 0.0)):
        lines = [json.dumps({"path_to_image": image, "Edema": edema, "Fracture": None}) for image in images]
        (root / "chexbert_labels" / f"{name}.json").write_text("\n".join(lines) + "\n")
    rows = [
        f"{image},Frontal,PA,{sex},{age},patient0000{i},report"
        for i, (image, sex, age) in enumerate(zip(images, ("Male", "Female"), (70, 40), strict=True))
    ]
    header = "path_to_image,frontal_lateral,ap_pa,sex,age,deid_patient_id,report"
    (root / "df_chexpert_plus_240401.csv").write_text("\n".join([header, *rows]) + "\n")


def nih(root: Path) -> None:
    names = ["00000001_000.png", "00000001_001.png", "00000002_000.png"]
    for seed, name in enumerate(names):
        film(root / "images_001" / "images" / name, seed)
    (root / "Data_Entry_2017_v2020.csv").write_text(
        "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position\n"
        f"{names[0]},Cardiomegaly|Edema,0,1,58,M,PA\n{names[1]},No Finding,1,1,58,M,PA\n"
        f"{names[2]},Effusion,0,2,41,F,AP\n"
    )
    (root / "BBox_List_2017.csv").write_text(
        f"Image Index,Finding Label,Bbox [x,y,w,h],,,\n{names[2]},Effusion,1,2,3,4,,,\n"
    )
    (root / "train_val_list.txt").write_text(f"{names[0]}\n{names[1]}\n")
    (root / "test_list.txt").write_text(f"{names[2]}\n")


def vindr_kaggle(root: Path) -> None:
    film(root / "train" / "aaa.dicom")
    rows = "".join(f"aaa,Cardiomegaly,3,R{reader},1,2,3,4\n" for reader in (1, 2))
    (root / "train.csv").write_text(
        "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max\n"
        f"{rows}aaa,Pleural effusion,10,R3,1,2,3,4\n"
    )


def vindr_physionet(root: Path) -> None:
    for seed, split in enumerate(("train", "test")):
        film(root / split / f"{split}.dicom", seed)
    (root / "annotations").mkdir()
    header = "Aortic enlargement,Cardiomegaly,Tuberculosis,No finding"
    (root / "annotations" / "image_labels_train.csv").write_text(
        f"image_id,rad_ID,{header}\ntrain,R1,1,0,0,0\ntrain,R2,1,1,0,0\ntrain,R3,0,0,0,0\n"
    )
    (root / "annotations" / "image_labels_test.csv").write_text(f"image_id,{header}\ntest,0,1,1,0\n")
    (root / "annotations" / "annotations_train.csv").write_text(
        "image_id,rad_id,class_name,x_min,y_min,x_max,y_max\ntrain,R1,Aortic enlargement,1,2,3,4\n"
    )


def rsna(root: Path) -> None:
    for seed, name in enumerate(("a-1", "b-2")):
        film(root / "stage_2_train_images" / f"{name}.dcm", seed)
    (root / "stage_2_train_labels.csv").write_text(
        "patientId,x,y,width,height,Target\na-1,,,,,0\nb-2,264,152,213,379,1\nb-2,562,152,256,453,1\n"
    )


def siim(root: Path) -> None:
    for seed, name in enumerate(("1.2.3.4", "1.2.3.5")):
        film(root / "dicom-images-train" / f"study{seed}" / "series" / f"{name}.dcm", seed)
    (root / "train-rle.csv").write_text("ImageId, EncodedPixels\n1.2.3.4, -1\n1.2.3.5, 10 4\n")


def padchest(root: Path) -> None:
    film(root / "images" / "abc.png")
    (root / "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv").write_text(
        ",ImageID,ImageDir,StudyDate_DICOM,StudyID,PatientID,PatientBirth,PatientSex_DICOM,Projection,Labels\n"
        "0,abc.png,3,20150101,S,P,1950,F,PA,\"['cardiomegaly', 'pleural effusion']\"\n"
    )


def cxr_lt_mimic(root: Path) -> None:
    film(root / "files" / "p10" / "p10000032" / "s50414267" / "02aa804e.jpg")
    row = "02aa804e,10000032,50414267,AP,2544,1,0"
    header = "dicom_id,subject_id,study_id,ViewPosition,Rows,Cardiomegaly,Calcification of the Aorta"
    for name in ("train", "development"):
        (root / f"{name}.csv").write_text(f"{header}\n{row}\n")


def cxr_lt_nih(root: Path) -> None:
    film(root / "images" / "00000001_000.png")
    (root / "nih-cxr-lt_multi-label_test.csv").write_text(
        "id,Cardiomegaly,Pneumomediastinum,subj_id\n00000001_000.png,1,0,1\n"
    )


# Name → what writes the data set, its form, split → images, and the labels that its first image has.
SETS: dict[str, tuple[Callable[[Path], None], str, dict[str, int], set[str]]] = {
    "chexpert": (chexpert, "chexpert", {"train": 1, "valid": 1, "test": 1}, {"Edema"}),
    "chexpert test": (chexpert_test_labels, "chexpert", {"test": 1}, {"Edema"}),
    "chexpert plus": (chexpert_plus, "chexpert_plus", {"train": 1, "valid": 1}, {"Edema"}),
    "nih": (nih, "nih", {"train": 2, "test": 1}, {"Cardiomegaly", "Edema"}),
    "vindr kaggle": (vindr_kaggle, "vindr", {"train": 1}, {"Cardiomegaly"}),
    "vindr physionet": (vindr_physionet, "vindr", {"train": 1, "test": 1}, {"Aortic enlargement"}),
    "rsna": (rsna, "rsna", {"train": 2}, set()),
    "siim": (siim, "siim", {"train": 2}, set()),
    "padchest": (padchest, "padchest", {"all": 1}, {"Cardiomegaly", "Pleural Effusion"}),
    "cxr-lt mimic": (cxr_lt_mimic, "cxr_lt", {"train": 1, "valid": 1}, {"Cardiomegaly"}),
    "cxr-lt nih": (cxr_lt_nih, "cxr_lt", {"test": 1}, {"Cardiomegaly"}),
}


@pytest.fixture(params=SETS)
def published(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str, dict[str, int], set[str]]:
    """A folder named like nothing, with a data set in it; and what is to be found there."""
    write, form, images, present = SETS[request.param]
    return _written(tmp_path, write), form, images, present


@pytest.fixture
def write_set(tmp_path: Path) -> Callable[..., Path]:
    """Writes a data set by its name into a folder, which is created."""

    def write(name: str, folder: str = "films") -> Path:
        return _written(tmp_path / folder, SETS[name][0])

    return write


def _written(root: Path, write: Callable[[Path], None]) -> Path:
    root.mkdir(exist_ok=True)
    write(root)
    return root
