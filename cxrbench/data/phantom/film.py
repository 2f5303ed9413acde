"""From attenuation to the displayed image: scatter, noise, blur, vendor processing."""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from cxrbench.data.phantom.anatomy import Patient, generator
from cxrbench.data.phantom.solids import Array
from cxrbench.data.phantom.view import RayGeometry

__all__ = ["ExposureSettings", "Tone", "develop", "draw_exposure", "side_marker", "tone_of"]


@dataclass(frozen=True)
class ExposureSettings:
    """Settings of one exposure and its processing.

    Attributes:
        photons: quanta per pixel of 0.07 cm without attenuation.
        scatter: ratio of scattered to primary signal behind the body.
        blur: standard deviation of the detector's blur, cm.
        flatten: fraction of the low-frequency brightness that is removed.
        detail: gain of the fine structure.
        gamma: exponent after the curve; below 1 is brighter.
        contrast: steepness of the curve.
        dark, bright: quantiles of the chest that become dark and bright.
        marker: letter beside the shoulder, "" for none.
        marker_at: its position (x, y) as a fraction of the picture.
        shutters: widths of the collimator's border (left, top, right, bottom) as fractions of the picture.
    """

    photons: float
    scatter: float
    blur: float
    flatten: float
    detail: float
    gamma: float
    contrast: float
    dark: float
    bright: float
    marker: str
    marker_at: tuple[float, float]
    shutters: tuple[float, float, float, float]


class Tone(NamedTuple):
    """What the vendor's processing measures on the whole picture before it sets the grey levels.

    Attributes:
        mean: mean of the low frequencies.
        low, high: the levels that become dark and bright.
    """

    mean: float
    low: float
    high: float


def draw_exposure(patient: Patient, geometry: RayGeometry, exposure: int) -> ExposureSettings:
    """Draw the settings of one exposure; portable (AP) films have more noise and scatter, less contrast."""
    rng = generator(patient.seed, "exposure", exposure)
    portable = geometry.view.arms_down
    shutters = np.where(rng.random(4) < 0.22, rng.uniform(0.004, 0.035, 4), 0.0)
    left = rng.random() < 0.8
    place = rng.uniform(0.86, 0.95) if left else rng.uniform(0.05, 0.12)
    return ExposureSettings(
        photons=float(np.exp(rng.normal(np.log(2.2e5 if portable else 4e5), 0.5))),
        scatter=rng.uniform(0.5, 0.9) if portable else rng.uniform(0.25, 0.5),
        blur=rng.uniform(0.03, 0.06),
        flatten=rng.uniform(0.35, 0.65),
        detail=rng.uniform(0.1, 0.6),
        gamma=float(np.exp(rng.normal(-0.03, 0.14))),
        contrast=rng.uniform(1.5, 2.7),
        dark=rng.uniform(0.0, 0.06),
        bright=rng.uniform(0.95, 1.0),
        marker=("L" if left else "R") if rng.random() < 0.85 else "",
        marker_at=(place, rng.uniform(0.05, 0.16)),
        shutters=tuple(float(v) for v in shutters),  # type: ignore[arg-type]
    )


def develop(
    attenuation: Array,
    patient: Patient,
    geometry: RayGeometry,
    shot: ExposureSettings,
    exposure: int,
    *,
    tone: Tone | None = None,
    marker: bool = True,
) -> Array:
    """Turn attenuation into the displayed picture.

    Args:
        attenuation: line integrals (H, W).
        patient: the body; its noise has a stream of its own.
        geometry: the rays; they give the scale.
        shot: the settings of `draw_exposure`.
        exposure: number of the exposure; the noise depends on it and not on the findings.
        tone: that of another picture, so that both have the same grey levels; default: this picture's own.
        marker: whether the side marker of the settings is drawn.

    Returns:
        (H, W) in [0, 1], bones bright.
    """
    rng = generator(patient.seed, "noise", exposure)
    seen, coarse = _seen(attenuation, geometry, shot, rng)
    tone = tone or _tone(attenuation, seen, coarse, geometry, shot)
    picture = _curve(_level(seen, coarse, geometry, shot, tone.mean), tone, shot)
    return _frame(picture, shot, rng, marker=marker)


def tone_of(
    attenuation: Array, patient: Patient, geometry: RayGeometry, shot: ExposureSettings, exposure: int
) -> Tone:
    """What `develop` measures on a picture; arguments as there."""
    rng = generator(patient.seed, "noise", exposure)
    seen, coarse = _seen(attenuation, geometry, shot, rng)
    return _tone(attenuation, seen, coarse, geometry, shot)


def side_marker(patient: Patient, shot: ExposureSettings, exposure: int, size: int) -> np.ndarray:
    """Where `develop` draws the side marker: (size, size) bool; False where there is none."""
    rng = generator(patient.seed, "noise", exposure)
    rng.standard_normal((size, size), np.float32)  # the noise is drawn first
    mask: np.ndarray = _marker_ink(shot, size, rng) > 0
    return mask


def _seen(
    attenuation: Array, geometry: RayGeometry, shot: ExposureSettings, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Minus the logarithm of the detected signal, and its low frequencies."""
    seen = -np.log(_detected(attenuation, geometry, shot, rng))
    return seen, _wide_blur(seen, 5.0 / geometry.spacing)


def _level(seen: Array, coarse: Array, geometry: RayGeometry, shot: ExposureSettings, mean: float) -> Array:
    """The picture with less of its low frequencies and more of its details."""
    fine = seen - cv2.GaussianBlur(seen, (0, 0), max(0.8, 0.35 / geometry.spacing))
    level: Array = (
        seen - np.float32(shot.flatten) * (coarse - np.float32(mean)) + np.float32(shot.detail) * fine
    )
    return level


def _tone(
    attenuation: Array, seen: Array, coarse: Array, geometry: RayGeometry, shot: ExposureSettings
) -> Tone:
    mean = float(coarse.mean())
    level = _level(seen, coarse, geometry, shot, mean)
    bare = attenuation < 0.08  # unattenuated detector does not count
    chest = level[::4, ::4][~bare[::4, ::4]]
    low, high = np.quantile(chest, [0.03 + shot.dark, shot.bright]) if chest.size > 64 else (0.0, 1.0)
    return Tone(mean, float(low), float(high))


def _detected(
    attenuation: Array, geometry: RayGeometry, shot: ExposureSettings, rng: np.random.Generator
) -> Array:
    """Relative signal: primary plus scatter, blurred, with quantum noise, bounded away from 0."""
    primary = np.exp(-attenuation)
    scatter = np.float32(shot.scatter) * _wide_blur(primary * (attenuation > 0.05), 4.0 / geometry.spacing)
    clean = cv2.GaussianBlur(primary + scatter, (0, 0), max(0.45, shot.blur / geometry.spacing))
    quanta = np.float32(shot.photons * (geometry.spacing / 0.07) ** 2)
    noise: Array = rng.standard_normal(clean.shape, np.float32) * np.sqrt(clean / quanta)
    noise = 0.7 * noise + cv2.GaussianBlur(
        noise, (0, 0), 0.8
    )  # the scintillator spreads part of each quantum
    signal: Array = np.maximum(clean + noise, np.float32(2e-4))
    return signal.astype(np.float32)


def _wide_blur(image: Array, sigma: float) -> Array:
    """A Gaussian blur wider than detail, computed on a small copy."""
    step = max(1, int(sigma // 4))
    small = cv2.resize(
        image, (max(8, image.shape[1] // step), max(8, image.shape[0] // step)), interpolation=cv2.INTER_AREA
    )
    small = cv2.GaussianBlur(
        small, (0, 0), max(0.6, sigma * small.shape[1] / image.shape[1]), borderType=cv2.BORDER_REPLICATE
    )
    return cv2.resize(small, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_CUBIC).astype(
        np.float32
    )


def _curve(level: Array, tone: Tone, shot: ExposureSettings) -> Array:
    """The vendor's S-shaped curve between the tone's two levels; unattenuated detector is black."""
    t = (level - np.float32(tone.low)) / np.float32(max(tone.high - tone.low, 0.3))
    steep = np.float32(shot.contrast)
    ends = 1 / (1 + np.exp(np.array([steep / 2, -steep / 2], np.float32)))
    bent = (1 / (1 + np.exp(-steep * (np.clip(t, -0.6, 1.4) - np.float32(0.5)))) - ends[0]) / (
        ends[1] - ends[0]
    )
    picture: Array = np.clip(0.1 + 0.76 * bent, 0, 1) ** np.float32(shot.gamma)
    return picture.astype(np.float32)


def _marker_ink(shot: ExposureSettings, size: int, rng: np.random.Generator) -> Array:
    """Opacity of the side marker, (size, size) in [0, 1]."""
    canvas = np.zeros((size, size), np.uint8)
    if shot.marker:
        position = (int(shot.marker_at[0] * size), int(shot.marker_at[1] * size))
        scale = size / 512 * rng.uniform(0.55, 0.95)
        font, wide = cv2.FONT_HERSHEY_SIMPLEX, max(1, round(2.2 * scale))
        cv2.putText(canvas, shot.marker, position, font, scale, 255, wide, cv2.LINE_AA)
        if rng.random() < 0.5:
            middle = (position[0] + int(8 * scale), position[1] + int(12 * scale))
            cv2.circle(canvas, middle, max(2, round(5 * scale)), 255, 1, cv2.LINE_AA)
    return canvas.astype(np.float32) / 255


def _frame(picture: Array, shot: ExposureSettings, rng: np.random.Generator, *, marker: bool) -> Array:
    """Side marker and collimator borders."""
    size = picture.shape[0]
    ink = _marker_ink(shot, size, rng)  # drawn in any case, so that the borders are the same without it
    if marker and shot.marker:
        picture = picture * (1 - ink) + np.float32(0.97) * ink
    left, top, right, bottom = (round(share * size) for share in shot.shutters)
    shade = np.float32(0.0 if rng.random() < 0.8 else 1.0)
    for strip in ((slice(None), slice(0, left)), (slice(0, top), slice(None))):
        picture[strip] = shade
    for strip in ((slice(None), slice(size - right, None)), (slice(size - bottom, None), slice(None))):
        picture[strip] = shade
    return np.clip(picture, 0, 1)
