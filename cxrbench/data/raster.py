"""PNG, JPEG and TIFF, decoded by Pillow; files that cannot be one radiograph are refused from the header."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
from PIL import Image, ImageOps
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    PHOTOMETRIC_INTERPRETATION,
    PLANAR_CONFIGURATION,
    SAMPLEFORMAT,
    TiffImageFile,
)

from cxrbench.data.deep_colour import is_deep, read_deep
from cxrbench.data.grey import from_colour, from_floats, from_integers, refuse_size
from cxrbench.data.plain_tiff import decode_plain_tiff, grey_of
from cxrbench.errors import InputError

__all__ = ["decode_raster", "decoder_scale"]

# The plugin's class instead of Image.open: it reads the header only, accepts no other format, and does not
# apply Pillow's own size limit (a warning and a global setting); ours applies.
_OPENERS: dict[str, Callable[[BytesIO], ImageFile]] = {
    "PNG": PngImageFile,
    "JPEG": JpegImageFile,
    "TIFF": TiffImageFile,
}

# Values of TIFF's tags.
_MIN_IS_WHITE = 0
_SEPARATE = 2
_SIGNED = 2

# A picture that is shrunk to S pixels per side is decoded no smaller than 4 S: then the decoder's own scaling
# changes the shrunk picture less than two ways to average over areas differ from each other.
_MIN_OVERSAMPLING = 4
# Eight pixels of a JPEG become one whole pixel, also where the film ends within them: the picture is then a
# little too wide. Largest shift, as a fraction of one pixel of the shrunk picture.
_MAX_SHIFT = 0.1


def decode_raster(
    data: bytes, kind: str, name: str, max_pixels: int, *, for_side: int | None = None
) -> tuple[np.ndarray, str]:
    """Decode a PNG, JPEG or TIFF file to a grey picture.

    Palettes are looked up, transparency is composited over black, the orientation tag is applied, TIFF's "min
    is white" is inverted. Samples of more than 8 bits keep all of them, in colour too.

    Args:
        data: the whole file.
        kind: "PNG", "JPEG" or "TIFF".
        name: of the file in messages.
        max_pixels: larger pictures are refused before decoding.
        for_side: side in pixels to which it will be shrunk; a large JPEG is then decoded smaller
            (``decoder_scale``).

    Returns:
        (H, W) float32 in [0, 1], and a note on what the user should know.

    Raises:
        InputError: the picture is too large, has several pages, or is damaged.
    """
    try:
        if kind == "TIFF" and not _opens(data):
            return decode_plain_tiff(data, name, max_pixels)
        with _OPENERS[kind](BytesIO(data)) as image:
            refuse_size(name, *image.size, max_pixels)
            frames = getattr(image, "n_frames", 1)
            if frames > 1:
                raise InputError(
                    f"{name}: expected one radiograph, got a {kind} of {frames} pages; save the one you mean."
                )
            white = _min_is_white(image)
            if kind == "JPEG" and for_side and (scale := decoder_scale(image.size, for_side)) > 1:
                image.draft(None, (image.width // scale, image.height // scale))
            if is_deep(image):
                pixels, note = grey_of(read_deep(lambda: _OPENERS[kind](BytesIO(data))))
            else:
                image.load()
                ImageOps.exif_transpose(image, in_place=True)
                pixels, note = _to_grey(image)
    except InputError as refusal:
        if str(refusal).startswith(name):
            raise
        raise InputError(f"{name}: {refusal}.") from refusal
    except MemoryError as error:
        raise InputError(f"{name}: the {kind} is too large for this machine; scale it down.") from error
    except Exception as error:
        # Decoders raise any type of exception on damaged input (OSError, SyntaxError, struct.error).
        raise InputError(
            f"{name}: expected a whole {kind}, got a damaged or unusual one ({error}); export it again."
        ) from error
    return (1 - pixels if white else pixels), note


def decoder_scale(size: tuple[int, int], side: int) -> int:
    """Factor by which a JPEG may be decoded smaller: 1, 2, 4 or 8.

    The decoder omits the high frequencies of each block of 8 × 8, so nothing aliases. Four times the side
    must remain, and no point of the film may move by more than a tenth of a pixel.

    Args:
        size: of the file in pixels.
        side: of the square to which it will be shrunk.
    """
    for scale in (8, 4, 2):
        oversampled = min(size) >= _MIN_OVERSAMPLING * side * scale
        shift = max((-length % scale) / length for length in size) * side
        if oversampled and shift <= _MAX_SHIFT:
            return scale
    return 1


def _opens(data: bytes) -> bool:
    """Whether Pillow opens a TIFF and decodes all of its bits."""
    try:
        with TiffImageFile(BytesIO(data)) as image:
            depth = image.tag_v2.get(BITSPERSAMPLE, (1,))
            return image.tag_v2.get(PLANAR_CONFIGURATION) != _SEPARATE or max(depth) <= 8
    except SyntaxError:
        return False


def _min_is_white(image: Image.Image) -> bool:
    """Whether 0 is white in a TIFF that Pillow has not inverted (it inverts only up to 8 bits)."""
    tags = getattr(image, "tag_v2", {})
    return tags.get(PHOTOMETRIC_INTERPRETATION) == _MIN_IS_WHITE and image.mode not in ("1", "L")


def _to_grey(image: Image.Image) -> tuple[np.ndarray, str]:
    sign = getattr(image, "tag_v2", {}).get(SAMPLEFORMAT, (1,))
    if image.mode == "L" and sign[0] == _SIGNED:
        return from_floats(np.asarray(image).view(np.int8).astype(np.float64))
    if image.mode in ("1", "L"):
        return from_integers(np.asarray(image.convert("L")))
    if image.mode.startswith("I;16"):
        return from_integers(np.asarray(image).astype(np.uint16))
    if image.mode == "I":
        # Pillow's only 32-bit integers are signed: from 2³¹ on, unsigned samples look negative.
        samples = np.asarray(image) if sign[0] == _SIGNED else np.asarray(image).view(np.uint32)
        return from_floats(samples.astype(np.float64)) if samples.min() < 0 else from_integers(samples)
    if image.mode == "F":
        return from_floats(np.asarray(image).astype(np.float64))
    if "A" in image.getbands() or "transparency" in image.info:
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, image.convert("RGBA"))
    return from_colour(np.asarray(image.convert("RGB")))
