"""Random appearance for phantoms: exposure, vendor processing, objects, geometry and defects.

A network that marks lungs on real films must not learn how a phantom looks. So nothing is kept but the
anatomy: position and shape are warped, tissue is added and taken, the film is developed with a curve of its
own, and what lies about on real films (text, tubes, borders, arrows) is drawn over it. Every function takes
the generator it draws from.
"""

from dataclasses import dataclass

import cv2
import numpy as np

__all__ = ["Beam", "film"]

Rng = np.random.Generator


@dataclass(frozen=True)
class Beam:
    """One phantom before development.

    Attributes:
        attenuation: line integrals (H, W).
        image: its own development (H, W), in [0, 1].
        lungs: what is to be marked (H, W) bool.
    """

    attenuation: np.ndarray
    image: np.ndarray
    lungs: np.ndarray


def film(beam: Beam, rng: Rng) -> tuple[np.ndarray, np.ndarray]:
    """An image of a phantom with random appearance, (H, W) in [0, 1], and its lung mask, bool."""
    lungs = beam.lungs.astype(np.float32)
    if rng.random() < 0.65:
        picture = developed(opacified(beam.attenuation.astype(np.float32), lungs, rng), rng)
    else:
        picture = toned(beam.image.astype(np.float32), rng)
    if rng.random() < 0.5:
        picture = littered(picture, rng)
    picture, lungs = warped(picture, lungs, rng)
    picture = worn(picture, rng)
    if rng.random() < 0.5:
        picture = bordered(picture, rng)
    if rng.random() < 0.7:
        picture = written(picture, rng)
    if rng.random() < 0.03:
        picture = 1 - picture
    if rng.random() < 0.5:
        picture, lungs = picture[:, ::-1], lungs[:, ::-1]  # lungs are lungs on either side
    return np.ascontiguousarray(picture), np.ascontiguousarray(lungs > 0.5)


def field(shape: tuple[int, int], rng: Rng, cells: int) -> np.ndarray:
    """A smooth random field (H, W) with standard deviation about 1 and about this many waves across."""
    coarse = rng.standard_normal((cells + 3, cells + 3)).astype(np.float32)
    return cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)


def opacified(attenuation: np.ndarray, lungs: np.ndarray, rng: Rng) -> np.ndarray:
    """Opacities in the lungs: patches, haze, an opaque lower zone or lung. The mask is unchanged."""
    shape = attenuation.shape
    soft = cv2.GaussianBlur(lungs, (0, 0), 2.5) * lungs
    filled = np.zeros(shape, np.float32)
    for _ in range(rng.integers(0, 4)):
        cells = int(rng.integers(2, 12))
        filled += rng.uniform(0.1, 1.2) * np.clip(field(shape, rng, cells) - rng.uniform(-0.5, 1.2), 0, 1.5)
    if rng.random() < 0.3:
        down = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None] + 0.15 * field(shape, rng, 2)
        level = rng.uniform(-0.1, 0.7)
        side = (
            (np.arange(shape[1])[None] < shape[1] / 2) == (rng.random() < 0.5) if rng.random() < 0.6 else True
        )
        filled += rng.uniform(0.3, 1.8) * np.clip((down - level) / rng.uniform(0.05, 0.6), 0, 1) * side
    # Lungs are darker than the rest by about 1.5; more than that cannot be filled.
    changed: np.ndarray = attenuation + np.minimum(filled, rng.uniform(0.9, 1.6)) * soft
    if rng.random() < 0.35:  # an emptier lung: emphysema, a thin patient
        changed = changed - rng.uniform(0, 0.5) * soft * (changed > 0.4)
    if rng.random() < 0.7:  # fat, breasts, folds, clothes: whatever lies before and behind
        bulk = np.clip(field(shape, rng, int(rng.integers(1, 5))), -1.5, 1.5)
        changed = np.where(attenuation > 0.1, np.maximum(changed + rng.uniform(0, 0.5) * bulk, 0.05), changed)
    return changed.astype(np.float32)


def developed(attenuation: np.ndarray, rng: Rng) -> np.ndarray:
    """Beam energy, scatter, vendor equalisation and sharpening, and a random monotone curve."""
    primary = np.exp(-rng.uniform(0.6, 1.2) * attenuation)
    scatter = rng.uniform(0, 1.2) * cv2.GaussianBlur(
        primary * (attenuation > 0.05), (0, 0), rng.uniform(10, 30)
    )
    level = -np.log(primary + scatter + 1e-4)
    wide = cv2.GaussianBlur(level, (0, 0), rng.uniform(8, 25))
    fine = level - cv2.GaussianBlur(level, (0, 0), rng.uniform(0.8, 4))
    level = level - rng.uniform(0, 0.8) * (wide - wide.mean()) + rng.uniform(-0.4, 1.5) * fine
    chest = level[attenuation > 0.1] if rng.random() < 0.8 else level.ravel()
    low, high = np.quantile(chest, (rng.uniform(0, 0.12), rng.uniform(0.85, 1)))
    picture = curved(np.clip((level - low) / max(float(high - low), 1e-3), -0.3, 1.3), rng)
    air = attenuation < 0.05
    if rng.random() < 0.25:  # not every film is black beside the patient
        picture = np.where(air, np.float32(rng.uniform(0, 1)), picture)
    return picture


def curved(t: np.ndarray, rng: Rng) -> np.ndarray:
    """A random sigmoid, then a gamma; to [0, 1] or a part of it."""
    steep, middle = rng.uniform(0.5, 7), rng.uniform(0.25, 0.75)
    bent = 1 / (1 + np.exp(-steep * (t - middle)))
    bent = (bent - bent.min()) / max(float(np.ptp(bent)), 1e-6)
    low = rng.uniform(0, 0.25)
    tones: np.ndarray = low + (rng.uniform(0.6, 1) - low) * bent ** np.exp(rng.normal(0, 0.35))
    return tones.astype(np.float32)


def toned(image: np.ndarray, rng: Rng) -> np.ndarray:
    """The phantom's own development with another gamma, contrast and uneven brightness."""
    shade = 0.12 * rng.random() * field(image.shape, rng, 2)
    return np.clip(curved(image, rng) + shade, 0, 1).astype(np.float32)


def littered(picture: np.ndarray, rng: Rng) -> np.ndarray:
    """Tubes, wires, clips and boxes of metal or plastic, half transparent."""
    side = picture.shape[0]
    layer = np.zeros_like(picture)
    for _ in range(rng.integers(1, 6)):
        start = rng.uniform(0, side, 2)
        path = start + np.cumsum(rng.normal(0, side / 12, (8, 2)) + rng.normal(0, side / 14, 2), axis=0)
        cv2.polylines(
            layer, [path.astype(np.int32)], False, rng.uniform(0.2, 1), int(rng.integers(1, 3)), cv2.LINE_AA
        )
    for _ in range(rng.integers(0, 3)):
        corner, size = rng.integers(0, side, 2), rng.integers(4, side // 6, 2)
        end = (int(corner[0] + size[0]), int(corner[1] + size[1]))
        cv2.rectangle(layer, (int(corner[0]), int(corner[1])), end, rng.uniform(0.2, 1), -1)
    layer = cv2.GaussianBlur(layer, (0, 0), rng.uniform(0.4, 1.2)) * rng.uniform(0.2, 0.9)
    covered: np.ndarray = picture * (1 - layer) + layer * rng.uniform(0.7, 1)
    return covered


def warped(picture: np.ndarray, lungs: np.ndarray, rng: Rng) -> tuple[np.ndarray, np.ndarray]:
    """Random geometry: rotation, scale, aspect ratio, shear, cropped edges and a smooth deformation."""
    side = picture.shape[0]
    turn = np.deg2rad(rng.normal(0, 6))
    size, aspect = np.exp(rng.normal(-0.03, 0.17)), np.exp(rng.normal(0, 0.13))
    cosine, sine = np.cos(turn), np.sin(turn)
    matrix = np.array([[cosine, -sine], [sine, cosine]]) @ np.diag([size * aspect, size / aspect])
    matrix[0, 1] += rng.normal(0, 0.05)
    grid = (np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1) + 0.5) / side - 0.5
    source = grid @ matrix.T.astype(np.float32) + rng.normal(0, 0.05, 2)
    for cells, push in ((1, 0.03), (3, 0.014), (6, 0.003)):
        source = source + push * rng.random() * np.stack(
            [field(picture.shape, rng, cells), field(picture.shape, rng, cells)], -1
        )
    # Lungs of other bodies are wider below or above: the width changes with the height.
    source[..., 0] *= 1 + rng.normal(0, 0.25) * source[..., 1]
    at = ((source + 0.5) * side - 0.5).astype(np.float32)
    mode = cv2.BORDER_REPLICATE if rng.random() < 0.5 else cv2.BORDER_CONSTANT
    fill = float(rng.choice([0.0, 0.0, rng.random(), 1.0]))
    moved = cv2.remap(picture, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=mode, borderValue=fill)
    mask = cv2.remap(lungs, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return moved, mask


def worn(picture: np.ndarray, rng: Rng) -> np.ndarray:
    """Degradation: noise, blur, resampling, JPEG compression, histogram equalisation, uneven brightness."""
    side = picture.shape[0]
    if rng.random() < 0.4:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 2))
    if rng.random() < 0.2:
        small = int(side * rng.uniform(0.25, 0.8))
        picture = cv2.resize(cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA), (side, side))
    if rng.random() < 0.5:
        grain = rng.standard_normal(picture.shape).astype(np.float32)
        grain = cv2.GaussianBlur(grain, (0, 0), 0.8) * 1.7 if rng.random() < 0.5 else grain
        picture = picture + rng.uniform(0, 0.07) * grain
    if rng.random() < 0.3:
        picture = picture + rng.uniform(0, 0.2) * field(picture.shape, rng, int(rng.integers(0, 3)))
    bytes_ = (np.clip(picture, 0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.2:
        bytes_ = cv2.createCLAHE(rng.uniform(1, 6), (int(rng.integers(2, 9)),) * 2).apply(bytes_)
    elif rng.random() < 0.1:
        bytes_ = cv2.equalizeHist(bytes_)
    if rng.random() < 0.2:
        _, packed = cv2.imencode(".jpg", bytes_, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(10, 70))])
        bytes_ = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)
    aged: np.ndarray = bytes_.astype(np.float32) / 255
    return aged


def bordered(picture: np.ndarray, rng: Rng) -> np.ndarray:
    """Collimator leaves, a scanner's frame, a slanted edge: black, white or grey, never over the centre."""
    side = picture.shape[0]
    out = picture.copy()
    shade = float(rng.choice([0.0, 0.0, 1.0, rng.random()]))
    for edge in range(4):
        if rng.random() < 0.4:
            near, far = rng.uniform(0, 0.1, 2) * side
            corners = np.array([[0, 0], [side, 0], [side, far], [0, near]], np.float32)
            quarter = np.array(
                [[[1, 0], [0, 1]], [[0, -1], [1, 0]], [[-1, 0], [0, -1]], [[0, 1], [-1, 0]]][edge]
            )
            turned = (corners - side / 2) @ quarter.T + side / 2
            cv2.fillPoly(out, [turned.astype(np.int32)], shade)
    return out


def written(picture: np.ndarray, rng: Rng) -> np.ndarray:
    """Side markers, names, dates, arrows, black or white, anywhere but mostly at the edges."""
    side = picture.shape[0]
    out: np.ndarray = (np.clip(picture, 0, 1) * 255).astype(np.uint8)
    letters = np.array(list("LRAPIVQ0123456789-:/ABCDEMNST"))
    for _ in range(rng.integers(1, 5)):
        at = rng.uniform(0.02, 0.95, 2)
        if rng.random() < 0.75:
            at[rng.integers(0, 2)] = rng.choice([rng.uniform(0.02, 0.14), rng.uniform(0.86, 0.97)])
        place = (int(at[0] * side), int(at[1] * side))
        ink, thick = int(rng.choice(np.array([255, 255, 0, int(rng.integers(256))]))), int(rng.integers(1, 3))
        if rng.random() < 0.7:
            text = "".join(rng.choice(letters, rng.integers(1, 10)))
            cv2.putText(
                out, text, place, cv2.FONT_HERSHEY_SIMPLEX, rng.uniform(0.2, 0.8), ink, thick, cv2.LINE_AA
            )
        else:
            tip = (int(place[0] + rng.normal(0, side / 10)), int(place[1] + rng.normal(0, side / 10)))
            cv2.arrowedLine(out, place, tip, ink, thick, cv2.LINE_AA, tipLength=0.4)
    return out.astype(np.float32) / 255
