"""Every file that pydicom installs for its own tests: the picture of its pipeline, or the error message."""

import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.testing import assert_allclose
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.pixels.utils import pixel_array

from cxrbench.data import read_image
from cxrbench.errors import InputError

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
# Outcome of each file: the "same" picture, or words of the error message.
OUTCOMES = {
    "same": """
        693_J2KI.dcm CT_small.dcm ExplVR_BigEnd.dcm GDCMJ2K_TextGBR.dcm J2K_pixelrep_mismatch.dcm
        JPEG2000.dcm JPEGLSNearLossless_08.dcm JPEGLSNearLossless_16.dcm JPGExtended.dcm MR_small.dcm
        MR_small_RLE.dcm MR_small_bigendian.dcm MR_small_expb.dcm MR_small_implicit.dcm
        MR_small_jp2klossless.dcm MR_small_jpeg_ls_lossless.dcm MR_small_padded.dcm
        SC_jpeg_no_color_transform.dcm SC_jpeg_no_color_transform_2.dcm SC_rgb_dcmtk_+eb+cr.dcm
        SC_rgb_dcmtk_+eb+cy+n1.dcm SC_rgb_dcmtk_+eb+cy+n2.dcm SC_rgb_dcmtk_+eb+cy+np.dcm
        SC_rgb_dcmtk_+eb+cy+s2.dcm SC_rgb_dcmtk_+eb+cy+s4.dcm SC_rgb_gdcm_KY.dcm SC_rgb_jls_lossy_line.dcm
        SC_rgb_jls_lossy_sample.dcm SC_rgb_jpeg.dcm SC_rgb_jpeg_app14_dcmd.dcm SC_rgb_jpeg_dcmd.dcm
        SC_rgb_jpeg_dcmtk.dcm SC_rgb_jpeg_gdcm.dcm SC_rgb_jpeg_lossy_gdcm.dcm SC_rgb_rle.dcm
        SC_rgb_rle_16bit.dcm SC_rgb_rle_32bit.dcm SC_rgb_small_odd.dcm SC_rgb_small_odd_big_endian.dcm
        SC_rgb_small_odd_jpeg.dcm SC_ybr_full_422_uncompressed.dcm dicomdirtests/77654033/CR1/6154
        dicomdirtests/77654033/CR2/6247 dicomdirtests/77654033/CR3/6278 dicomdirtests/77654033/CT2/17106
        dicomdirtests/77654033/CT2/17136 dicomdirtests/77654033/CT2/17166 dicomdirtests/77654033/CT2/17196
        dicomdirtests/98892001/CT2N/6293 dicomdirtests/98892001/CT2N/6924 dicomdirtests/98892001/CT5N/2062
        dicomdirtests/98892001/CT5N/2392 dicomdirtests/98892001/CT5N/2693 dicomdirtests/98892001/CT5N/3023
        dicomdirtests/98892001/CT5N/3353 dicomdirtests/98892003/MR1/15820 dicomdirtests/98892003/MR1/4919
        dicomdirtests/98892003/MR1/5641 dicomdirtests/98892003/MR2/15970 dicomdirtests/98892003/MR2/4950
        dicomdirtests/98892003/MR2/4981 dicomdirtests/98892003/MR2/5011 dicomdirtests/98892003/MR2/6273
        dicomdirtests/98892003/MR2/6605 dicomdirtests/98892003/MR2/6935 dicomdirtests/98892003/MR700/4467
        dicomdirtests/98892003/MR700/4528 dicomdirtests/98892003/MR700/4558
        dicomdirtests/98892003/MR700/4588 dicomdirtests/98892003/MR700/4618
        dicomdirtests/98892003/MR700/4648 dicomdirtests/98892003/MR700/4678 examples_jpeg2k.dcm
        examples_overlay.dcm examples_rgb_color.dcm liver_1frame.dcm liver_expb_1frame.dcm rtdose_1frame.dcm
        rtdose_expb_1frame.dcm rtdose_rle_1frame.dcm
    """,
    "got one without pixels": """
        ExplVR_BigEndNoMeta.dcm ExplVR_LitEndNoMeta.dcm UN_sequence.dcm dicomdirtests/DICOMDIR
        dicomdirtests/DICOMDIR-bigEnd dicomdirtests/DICOMDIR-empty.dcm dicomdirtests/DICOMDIR-implicit
        dicomdirtests/DICOMDIR-nooffset dicomdirtests/DICOMDIR-nopatient dicomdirtests/DICOMDIR-reordered
        dicomdirtests/TINY_ALPHA/DICOMDIR dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM000000
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM000001
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM000002
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM000003
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM000004
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM000005
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM000006
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM000007
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM000008
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM000009
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00000A
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00000B
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00000C
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00000D
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00000E
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00000F
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00000G
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00000H
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00000I
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00000J
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00000K
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00000L
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00000M
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00000N
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00000O
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00000P
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00000Q
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00000R
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00000S
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00000T
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00000U
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00000V
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00000W
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00000X
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00000Y
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00000Z
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM000010
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM000011
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM000012
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM000013
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM000014
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM000015
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM000016
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM000017
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM000018
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM000019
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00001A
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00001B
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00001C
        dicomdirtests/TINY_ALPHA/PT000000/ST000000/SE000000/IM00001D empty_charset_LEI.dcm
        meta_missing_tsyntax.dcm nested_priv_SQ.dcm no_meta_group_length.dcm priv_SQ.dcm reportsi.dcm
        reportsi_with_empty_number_tags.dcm rtplan.dcm rtplan_truncated.dcm rtstruct.dcm test-SR.dcm
        waveform_ecg.dcm
    """,
    "picture cannot be decoded": """
        JPEG-lossy.dcm
    """,
    "got 3722445056×1024": """
        JPEG2000-embedded-sequence-delimiter.dcm
    """,
    "pixel data end after 8,130 of 8,192 bytes": """
        MR_truncated.dcm
    """,
    "got a text file": """
        README.txt dicomdirtests/README.txt dicomdirtests/TINY_ALPHA/README rtplan.dump rtstruct.dump
        test1.json test_PN.json
    """,
    "volume or film of 2 frames": """
        SC_rgb_rle_16bit_2frame.dcm SC_rgb_rle_2frame.dcm SC_rgb_rle_32bit_2frame.dcm
    """,
    "pixel data for 15": """
        badVR.dcm
    """,
    "got something else": """
        crayons.icc no_meta.dcm
    """,
    "another colour model": """
        examples_palette.dcm
    """,
    "volume or film of 30 frames": """
        examples_ybr_color.dcm
    """,
    "a deflated DICOM is not read": """
        image_dfl.dcm
    """,
    "volume or film of 15 frames": """
        rtdose.dcm rtdose_expb.dcm rtdose_rle.dcm
    """,
    "got a gzip archive": """
        zipMR.gz
    """,
}
EXPECTED = {name: outcome for outcome, names in OUTCOMES.items() for name in names.split()}


def test_every_file_that_pydicom_installs_is_listed() -> None:
    installed = {path.relative_to(FILES).as_posix() for path in FILES.rglob("*") if path.is_file()}
    assert installed == set(EXPECTED)


@pytest.mark.parametrize("name", [name for name, outcome in EXPECTED.items() if outcome == "same"])
def test_the_picture_is_the_one_of_pydicoms_own_pipeline(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns where header and compressed picture disagree
        assert_allclose(read_image(FILES / name).pixels, pipeline(FILES / name), atol=2e-6)


@pytest.mark.parametrize("outcome", [outcome for outcome in OUTCOMES if outcome != "same"])
def test_what_is_refused_is_refused_with_its_own_sentence(outcome: str) -> None:
    for name in OUTCOMES[outcome].split():
        with pytest.raises(InputError) as caught:
            read_image(FILES / name)
        assert outcome in str(caught.value), name


def pipeline(path: Path) -> np.ndarray:
    """pydicom's decoder, modality and VOI functions, scaled to [0, 1] like our reader."""
    dataset = pydicom.dcmread(path, force=True)
    stored = pixel_array(dataset)
    full = 2**dataset.BitsStored - 1
    if dataset.SamplesPerPixel == 3:
        grey: np.ndarray = stored @ [0.299, 0.587, 0.114] / full
        return grey
    values = apply_modality_lut(stored, dataset)
    padding = stored == dataset.get("PixelPaddingValue", stored.max() + 1.0)
    if "WindowWidth" in dataset:
        # The window's output spans what the stored bits could hold, after the rescale.
        lowest = -(full + 1) / 2 if dataset.PixelRepresentation else 0
        slope, intercept = dataset.get("RescaleSlope", 1), dataset.get("RescaleIntercept", 0)
        pixels = (apply_voi_lut(values, dataset) - (lowest * slope + intercept)) / (full * slope)
    elif values is stored and dataset.BitsStored <= 8 and not dataset.PixelRepresentation:
        pixels = values / full
    else:
        low, high = values[~padding].min(), values[~padding].max()
        pixels = (values.astype(float) - low) / (float(high) - low)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        pixels = 1 - pixels
    return np.where(padding, 0, pixels)
