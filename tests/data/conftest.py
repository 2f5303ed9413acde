"""Writers of files for the tests of the readers."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, generate_uid


def dicom_bytes(
    stored: np.ndarray, *, syntax: str = ExplicitVRLittleEndian, frame: bytes | None = None, **tags: object
) -> bytes:
    """A DICOM file around stored values (H, W) or (H, W, 3); other tags by keyword, None removes one.

    Of OW look-up tables the bytes are written as given, whatever the byte order.
    """
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian if frame is None else UID(syntax)
    meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.1.1")
    meta.MediaStorageSOPInstanceUID = generate_uid()
    big = syntax == ExplicitVRBigEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128, is_little_endian=not big)
    dataset._is_implicit_VR = False
    dataset.PatientName = "Doe^Jane"
    dataset.PatientID = "4711"
    dataset.Rows, dataset.Columns = stored.shape[:2]
    dataset.SamplesPerPixel = stored.shape[2] if stored.ndim == 3 else 1
    dataset.PhotometricInterpretation = "RGB" if stored.ndim == 3 else "MONOCHROME2"
    if stored.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = 8 * stored.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(np.issubdtype(stored.dtype, np.signedinteger))
    for tag, value in tags.items():
        if value is None:
            delattr(dataset, tag)
        else:
            setattr(dataset, tag, value)
    if big:
        meta.TransferSyntaxUID = UID(syntax)
    if frame is None:
        words = stored.astype(stored.dtype.newbyteorder(">")) if big else stored
        dataset.PixelData = words.tobytes() + b"\0" * (stored.nbytes % 2)
        if syntax not in (ExplicitVRLittleEndian, ExplicitVRBigEndian):
            dataset.compress(syntax)
    else:
        dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].VR = "OB" if dataset.BitsAllocated == 8 or frame is not None else "OW"
    file = BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def image_bytes(image: np.ndarray | Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """An array or a Pillow image as a file of that kind."""
    file = BytesIO()
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    picture.save(file, kind, **options)
    return file.getvalue()


@pytest.fixture
def write_dicom() -> Callable[..., bytes]:
    return dicom_bytes


@pytest.fixture
def write_image() -> Callable[..., bytes]:
    return image_bytes


@pytest.fixture
def film() -> np.ndarray:
    """A smooth 8-bit picture without symmetry, (48, 64): smooth, so that JPEG hardly changes it."""
    y, x = np.mgrid[0:48, 0:64]
    levels: np.ndarray = 40 + 120 * np.sin(x / 20) ** 2 + 90 * y / 48
    return levels.clip(0, 255).astype(np.uint8)
