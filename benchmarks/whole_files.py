"""Small valid files of every supported type, which `benchmarks/fuzz.py` damages."""

import csv
import json
from collections.abc import Callable, Sequence
from functools import cache
from io import BytesIO, StringIO
from typing import Any, Final

import numpy as np
import tifffile
from PIL import Image
from pydicom import Dataset
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

from cxrbench.compare import Comparison, HeatMaps, Prediction, Settings, bundle
from cxrbench.labels import CHEXPERT
from cxrbench.preprocess import Preprocessing

__all__ = ["WHOLE"]

_ROWS: Final = 12  # of each table


def _film() -> np.ndarray:
    y, x = np.mgrid[0:40, 0:48]
    film: np.ndarray = (40 + 120 * np.sin(x / 20) ** 2 + 90 * y / 40).clip(0, 255).astype(np.uint8)
    return film


def _saved(picture: np.ndarray | Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(file, kind, **options)
    return file.getvalue()


@cache
def _pngs() -> list[bytes]:
    film = _film()
    pictures = [Image.fromarray(film).convert(mode) for mode in ("L", "RGB", "RGBA", "LA", "P")]
    pictures.append(Image.fromarray(film.astype(np.uint16) * 16))
    return [_saved(picture, "PNG") for picture in pictures]


@cache
def _jpegs() -> list[bytes]:
    film = Image.fromarray(_film())
    plain = [_saved(film.convert(mode), "JPEG") for mode in ("L", "RGB", "CMYK")]
    return [*plain, _saved(film, "JPEG", progressive=True, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0")]


@cache
def _tiffs() -> list[bytes]:
    film = _film()
    deep = film.astype(np.uint16) * 16
    files = [_saved(film, "TIFF", compression=name) for name in (None, "tiff_lzw", "packbits", "jpeg")]
    files += [_saved(deep, "TIFF", compression="tiff_adobe_deflate"), _saved(film.astype(np.float32), "TIFF")]
    grey = {"photometric": "minisblack"}
    for samples, options in (
        (np.dstack([deep] * 3), {"photometric": "rgb", "planarconfig": "contig"}),
        (np.dstack([deep] * 2), {"extrasamples": ["unassalpha"], "planarconfig": "contig", **grey}),
        (np.stack([deep] * 3), {"photometric": "rgb", "planarconfig": "separate"}),
        (deep.astype(np.uint32) << 18, grey),
        (deep.astype(np.float64), grey),
    ):
        file = BytesIO()
        tifffile.imwrite(
            file, samples, **{"planarconfig": "contig", **options} if samples.ndim > 2 else options
        )
        files.append(file.getvalue())
    return files


@cache
def _dicoms() -> list[bytes]:
    film = _film()
    deep = film.astype(np.uint16) * 16
    table = Dataset()
    table.add_new("LUTDescriptor", "US", [4096, 0, 12])
    table.add_new("LUTData", "OW", np.arange(4096, dtype="<u2").tobytes())
    twelve: dict[str, Any] = {"BitsStored": 12, "HighBit": 11, "PixelPaddingValue": 0}
    window: dict[str, Any] = {"WindowCenter": [0, 2048], "WindowWidth": [0, 4096], "RescaleSlope": 2}
    return [
        _dicom(film, ExplicitVRLittleEndian),
        _dicom(film, ImplicitVRLittleEndian)[132:],
        _dicom(deep, ExplicitVRLittleEndian, **twelve, **window),
        _dicom(deep, ExplicitVRBigEndian, **twelve),
        _dicom(deep, ExplicitVRLittleEndian, VOILUTSequence=[table], ModalityLUTSequence=[table], **twelve),
        _dicom(np.dstack([film] * 3), ExplicitVRLittleEndian),
        _dicom(deep, RLELossless, **twelve),
        _dicom(deep, JPEG2000Lossless, **twelve),
        _dicom(film, JPEGBaseline8Bit, frame=_saved(film, "JPEG")),
    ]


def _dicom(stored: np.ndarray, syntax: str, *, frame: bytes | None = None, **tags: Any) -> bytes:
    meta = FileMetaDataset()
    encoded = syntax in (RLELossless, JPEG2000Lossless)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian if encoded else UID(syntax)
    meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.1.1")
    meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    big, implicit = syntax == ExplicitVRBigEndian, syntax == ImplicitVRLittleEndian
    dataset = FileDataset(
        "", {}, file_meta=meta, preamble=b"\0" * 128, is_implicit_VR=implicit, is_little_endian=not big
    )
    dataset.Modality = "DX"
    dataset.Rows, dataset.Columns = stored.shape[:2]
    dataset.SamplesPerPixel = stored.shape[2] if stored.ndim == 3 else 1
    dataset.PhotometricInterpretation = "RGB" if stored.ndim == 3 else "MONOCHROME2"
    dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = 8 * stored.itemsize
    dataset.HighBit, dataset.PixelRepresentation = dataset.BitsStored - 1, 0
    for tag, value in tags.items():
        setattr(dataset, tag, value)
    if frame is None:
        dataset.PixelData = (stored.astype(stored.dtype.newbyteorder(">")) if big else stored).tobytes()
        dataset["PixelData"].VR = "OB" if stored.itemsize == 1 else "OW"
    else:
        dataset.PixelData = encapsulate([frame])
        dataset["PixelData"].VR = "OB"
    if encoded:
        dataset.compress(syntax)
    file = BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def _table(header: Sequence[object], cells: Callable[[int], Sequence[object]]) -> bytes:
    """A CSV file of twelve rows: the number of a row → its cells."""
    file = StringIO()
    csv.writer(file).writerows([header, *map(cells, range(_ROWS))])
    return file.getvalue().encode()


@cache
def _chexpert() -> list[bytes]:
    values = ["1.0", "0.0", "-1.0", ""]

    def image(row: int) -> str:
        return f"CheXpert-v1.0-small/train/patient{row:05d}/study1/view1_frontal.jpg"

    def labels(row: int) -> list[str]:
        return [values[(row + column) % 4] for column in range(len(CHEXPERT))]

    about = ["Path", "Sex", "Age", "Frontal/Lateral", "AP/PA"]
    plain = _table(
        [*about, *CHEXPERT], lambda row: [image(row), "Female", 60 + row, "Frontal", "AP", *labels(row)]
    )
    bare = _table(["Path", *CHEXPERT], lambda row: [image(row), *labels(row)])
    lines = "\n".join(
        json.dumps({"path_to_image": image(row), "Edema": labels(row)[0] or None, "Fracture": 0.0})
        for row in range(_ROWS)
    )
    return [plain, bare, plain.replace(b",", b";"), lines.encode()]


@cache
def _nih() -> list[bytes]:
    header = ["Image Index", "Finding Labels", "Follow-up #", "Patient ID", "Patient Age", "Patient Gender"]
    header += ["View Position", "OriginalImage[Width", "Height]"]

    def cells(row: int) -> list[object]:
        findings = "Effusion|Mass" if row % 2 else "No Finding"
        return [f"{row:08d}_000.png", findings, row, row, "058Y", "M", "PA", 9, 9]

    return [_table(header, cells)]


@cache
def _nih_boxes() -> list[bytes]:
    lines = ["Image Index,Finding Label,Bbox [x,y,w,h],,,"]
    lines += [f"{row:08d}_000.png,Infiltrate,{row}.5,100.25,200,300,,," for row in range(_ROWS)]
    return ["\n".join(lines).encode()]


@cache
def _padchest() -> list[bytes]:
    header = ["ImageID", "ImageDir", "StudyDate_DICOM", "StudyID", "PatientID", "PatientBirth"]
    header += ["PatientSex_DICOM", "ViewPosition_DICOM", "Projection", "Labels"]

    def cells(row: int) -> list[object]:
        view = ["POSTEROANTERIOR", "PA"]
        return [f"{row}.png", 0, 20150101, row, f"p{row}", 1950, "F", *view, "['pneumonia', 'nodule']"]

    return [_table(header, cells)]


@cache
def _predictions() -> list[bytes]:
    header = ["path", "patient", "split", "Edema", "Fracture", "score Edema", "score Fracture"]
    return [
        _table(
            header,
            lambda row: [f"{row}.png", f"p{row}", "test", row % 2, "", row / _ROWS, 1 - row / _ROWS],
        )
    ]


@cache
def _bundles() -> list[bytes]:
    film, labels = _film() / np.float32(255), ("Edema", "Fracture")
    vector, maps = np.array([0.25, 0.75], np.float32), np.ones((2, 7, 7), np.float32)
    heat = HeatMaps("m", "grad_cam", "layer4", labels, maps, Preprocessing(size=32), 0.1, title="Grad-CAM")
    comparison = Comparison(
        image=film,
        source="a" * 64,
        settings=Settings(("m",), ("grad_cam",)),
        predictions={"m": Prediction("m", "r", labels, vector, vector, vector, 0.1)},
        heat_maps={("m", "grad_cam"): heat},
        masks={"Edema": film > 0.5},
        truth={"Edema": 1},
        note="16-bit file read as 12-bit",
    )
    file = BytesIO()
    bundle.save(comparison, file)
    return [file.getvalue()]


# Type → its valid files.
WHOLE: dict[str, Callable[[], list[bytes]]] = {
    "PNG": _pngs,
    "JPEG": _jpegs,
    "TIFF": _tiffs,
    "DICOM": _dicoms,
    "CheXpert": _chexpert,
    "NIH": _nih,
    "NIH boxes": _nih_boxes,
    "PadChest": _padchest,
    "predictions": _predictions,
    "bundle": _bundles,
}
