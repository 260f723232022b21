"""Composition of cut-out products into a photograph.

They are placed and scaled, their colours moved towards the scene's light, grounded by a contact and a cast
shadow on the side away from the light, wrapped in the scene's own brightness at the rim, and given its
grain and softness.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator

from vetrina.clients.engines.builtin.arrays import Pixels, floats
from vetrina.clients.engines.builtin.progress import StageProgress
from vetrina.clients.engines.builtin.raster import colour
from vetrina.clients.engines.builtin.raster.image_io import blur, mix, reference_scale, resize, size_of, smoothstep
from vetrina.clients.engines.builtin.scenes.cutout import Cutout


class Placement(NamedTuple):
    """Position and appearance of a product. `x`, `y`: the middle of the product's box, as shares of the scene's width and height.

    `size`: its longer side as a share of the scene's shorter side. The rest run from 0 to 1; `light`
    is auto, left, right or above; `shadow_on` is ground or wall.
    """

    x: float = 0.66
    y: float = 0.7
    size: float = 0.55
    shadow: float = 0.7
    colour_match: float = 0.6
    blend: float = 0.5
    light: str = "auto"
    shadow_on: str = "ground"


class Layer(NamedTuple):
    """A positioned product: planes of the scene's size."""

    colour: Pixels
    alpha: Pixels
    bottom: float
    tall: float


def place_all(scene: Pixels, products: list[Cutout], placement: Placement, rng: Generator, progress: StageProgress) -> Pixels:
    """Place every product into the scene: several stand side by side about the requested position."""
    result = scene
    spots = _side_by_side(scene, products, placement)
    for index, (product, spot) in enumerate(zip(products, spots, strict=True)):
        result = place(result, product, spot, rng, progress.part(index / len(spots), (index + 1) / len(spots)))
    return result


def _side_by_side(scene: Pixels, products: list[Cutout], placement: Placement) -> list[Placement]:
    height, width = size_of(scene)
    size = placement.size / len(products) ** 0.6
    boxes = [floats(size_of(product.colour)) / max(size_of(product.colour)) for product in products]
    boxes = [box * size * min(height, width) for box in boxes]
    base = placement.y * height + max(float(box[0]) for box in boxes) / 2
    left = placement.x * width - sum(float(box[1]) for box in boxes) * 0.96 / 2
    spots: list[Placement] = []
    for tall, wide in boxes:
        spots.append(placement._replace(x=(left + wide * 0.48) / width, y=(base - tall / 2) / height, size=size))
        left += wide * 0.96
    return spots


def place(scene: Pixels, product: Cutout, placement: Placement, rng: Generator, progress: StageProgress) -> Pixels:
    """Place one product into the scene."""
    u = reference_scale(scene)
    progress(0.0, "Placing the product")
    layer = _position(scene, product, placement)
    progress(0.18, "Matching its colours to the scene's light")
    layer = layer._replace(colour=_match_colours(layer, scene, placement.colour_match))
    progress(0.36, "Reading where the light comes from")
    slant = estimate_light_direction(scene, placement)
    progress(0.44, "Casting its shadow")
    shaded = scene
    if placement.shadow > 0:
        dark = ground_shadow(layer, slant, u) if placement.shadow_on == "ground" else wall_shadow(layer, slant)
        tint = floats([0.80, 0.86, 1.0])  # shadows keep some sky
        shaded = scene * (1 - (dark * np.float32(placement.shadow))[:, :, None] * (1 - np.float32(0.14) * tint))
    progress(0.66, "Matching grain and softness")
    paint = _match_sharpness_and_grain(layer, scene, rng)
    progress(0.82, "Wrapping the scene's light around its edge")
    edge = blur(layer.alpha, (0.35 + 0.9 * placement.blend) * u)
    alpha = np.minimum(layer.alpha, edge) if placement.blend < 0.25 else edge
    rim = np.clip(blur(1 - layer.alpha, (3 + 9 * placement.blend) * u) * layer.alpha * 2, 0, 1)
    around = blur(scene, 14 * u)
    wrapped = mix(paint, np.maximum(paint, around), rim * np.float32(0.55 * placement.blend))
    return np.clip(mix(shaded, wrapped, np.clip(alpha, 0, 1)), 0, 1)


def _position(scene: Pixels, product: Cutout, placement: Placement) -> Layer:
    height, width = size_of(scene)
    tall, wide = size_of(product.colour)
    scale = placement.size * min(height, width) / max(tall, wide)
    to = (max(round(tall * scale), 2), max(round(wide * scale), 2))
    paint, alpha = resize(product.colour, *to), np.clip(resize(product.alpha, *to), 0, 1)
    left = placement.x * width - to[1] / 2
    top = placement.y * height - to[0] / 2
    shift = floats([[1, 0, left], [0, 1, top]])
    size = (width, height)
    return Layer(
        np.clip(cv2.warpAffine(paint, shift, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), 0, 1),
        np.clip(cv2.warpAffine(alpha, shift, size, flags=cv2.INTER_LINEAR, borderValue=(0,)), 0, 1),
        top + to[0],
        float(to[0]),
    )


def _match_colours(layer: Layer, scene: Pixels, amount: float) -> Pixels:
    """Apply a restrained Reinhard transfer in Lab: tones and cast move towards the scene, hues stay."""
    if amount <= 0 or float(layer.alpha.sum()) < 4:
        return layer.colour
    own, there = colour.lab(layer.colour), colour.lab(scene)
    near = blur(layer.alpha, max(size_of(scene)) * 0.08) + np.float32(0.15)
    own_mean, own_spread = _moments(own, layer.alpha)
    mean, spread = _moments(there, near)
    gain = np.clip(spread / np.maximum(own_spread, 2), 0.72, 1.3)
    gain = 1 + (gain - 1) * floats([0.55, 0.25, 0.25])
    move = (mean - own_mean) * floats([0.42, 0.0, 0.0]) + mean * floats([0, 0.5, 0.5])
    move = np.clip(move, [-22, -14, -14], [22, 14, 14])
    matched = (own - own_mean) * gain + own_mean + move
    return mix(layer.colour, colour.from_lab(matched.astype(np.float32)), amount)


def _moments(picture: Pixels, weight: Pixels) -> tuple[Pixels, Pixels]:
    total = max(float(weight.sum()), 1e-3)
    mean = (picture * weight[:, :, None]).sum(axis=(0, 1)) / total
    spread = np.sqrt((((picture - mean) ** 2) * weight[:, :, None]).sum(axis=(0, 1)) / total)
    return mean.astype(np.float32), spread.astype(np.float32)


def estimate_light_direction(scene: Pixels, placement: Placement) -> float:
    """Return -1 when the light comes from the left, 1 from the right, 0 from above (or unknown)."""
    fixed = {"left": -1.0, "right": 1.0, "above": 0.0}
    if placement.light in fixed:
        return fixed[placement.light]
    tone = colour.lightness(resize(scene, 64, 64))
    sides = float(tone[:, 34:].mean() - tone[:, :30].mean())
    slant = float(np.clip(sides * 7, -1, 1))
    return slant if abs(slant) > 0.3 else (-0.3 if slant <= 0 else 0.3)  # a little aslant reads as real


def ground_shadow(layer: Layer, slant: float, u: float) -> Pixels:
    """Return the shadow on the ground, 0 to 1: contact shadow, and the outline cast away from the light."""
    height, width = layer.alpha.shape
    lean, flat = -slant * 0.75, 0.26
    # the outline turned down about its base: one pixel of height becomes `flat` of depth and a lean
    turn = floats([[1, -lean, lean * layer.bottom], [0, flat, layer.bottom * (1 - flat)]])
    laid = cv2.warpAffine(layer.alpha, turn, (width, height), flags=cv2.INTER_LINEAR, borderValue=(0,))
    reach = layer.tall
    soft, softer = blur(laid, max(0.016 * reach, 0.6)), blur(laid, max(0.06 * reach, 1.2))
    y = np.arange(height, dtype=np.float32)[:, None]
    away = np.clip((np.float32(layer.bottom) - y) / np.float32(max(reach * flat, 1)), 0, 1)
    cast = (soft * (1 - away) + softer * away) * (1 - np.float32(0.5) * away) * np.float32(0.74)
    low = smoothstep(layer.bottom - 0.6 * reach, layer.bottom, np.broadcast_to(y, layer.alpha.shape))
    contact = blur(_shift_down(layer.alpha * low, max(0.010 * reach, 0.8)), max(0.011 * reach, 0.7))
    away_x = -slant * 0.035 * reach
    ambient = blur(_shift_down(layer.alpha * low, 0.045 * reach, away_x), max(0.042 * reach, 1.5)) * np.float32(1.05)
    under = floats([[1, 0, -slant * 0.04 * reach], [0, 0.14, layer.bottom * 0.86 + 0.03 * reach]])
    pool = cv2.warpAffine(layer.alpha, under, (width, height), flags=cv2.INTER_AREA, borderValue=(0,))
    pool = blur(pool, max(0.035 * reach, 1.2)) * np.float32(0.8)
    light = (1 - np.clip(cast, 0, 1)) * (1 - np.clip(contact, 0, 1) * np.float32(0.85))
    light *= (1 - np.clip(ambient, 0, 0.8)) * (1 - np.clip(pool, 0, 0.8))
    return np.clip(1 - light, 0, 0.92)


def wall_shadow(layer: Layer, slant: float) -> Pixels:
    """Return the shadow on a wall close behind, 0 to 1: the outline, away from the light and below."""
    height, width = layer.alpha.shape
    reach = layer.tall
    result = np.zeros((height, width), np.float32)
    for far, soft, strength in ((0.02, 0.012, 0.35), (0.07, 0.045, 0.5)):
        shift = floats([[1, 0, -slant * far * reach], [0, 1, (0.55 + 0.3 * (1 - abs(slant))) * far * reach]])
        moved = cv2.warpAffine(layer.alpha, shift, (width, height), flags=cv2.INTER_LINEAR, borderValue=(0,))
        result = 1 - (1 - result) * (1 - blur(moved, max(soft * reach, 0.8)) * np.float32(strength))
    return np.clip(result, 0, 0.9)


def _shift_down(plane: Pixels, by: float, aside: float = 0.0) -> Pixels:
    height, width = plane.shape
    return cv2.warpAffine(plane, floats([[1, 0, aside], [0, 1, by]]), (width, height), borderValue=(0,))


def _match_sharpness_and_grain(layer: Layer, scene: Pixels, rng: Generator) -> Pixels:
    """Match the sharpness and the grain of the scene."""
    there, own = _sharpness(scene, None), _sharpness(layer.colour, layer.alpha)
    paint = layer.colour
    if own > 1.25 * there > 0:
        paint = blur(paint, min(0.55 * (own / max(there, 1e-4) - 1), 1.1))
    missing = max(_noise_level(scene, None) ** 2 - _noise_level(paint, layer.alpha) ** 2, 0) ** 0.5
    if missing > 0.002:
        height, width = size_of(scene)
        noise = blur(rng.standard_normal((height, width), np.float32), 0.6)
        paint = paint + (noise * np.float32(min(missing, 0.03) * 1.6))[:, :, None]
    return np.clip(paint, 0, 1)


def _sharpness(picture: Pixels, alpha: Pixels | None) -> float:
    """Return the strong end of the fine detail, relative to the coarse."""
    plane = colour.luma(picture)
    fine, coarse = np.abs(plane - blur(plane, 1.0)), np.abs(plane - blur(plane, 4.0))
    inside = slice(None) if alpha is None else alpha > 0.98
    if alpha is not None and int((alpha > 0.98).sum()) < 64:
        return 0.0
    top = float(np.percentile(coarse[inside], 97))
    return float(np.percentile(fine[inside], 97)) / max(top, 1e-3)


def _noise_level(picture: Pixels, alpha: Pixels | None) -> float:
    """Return the standard deviation of the noise: the median of a Laplacian's magnitude (after Immerkaer)."""
    plane = colour.luma(picture)
    mask = floats([[1, -2, 1], [-2, 4, -2], [1, -2, 1]])
    response = np.abs(cv2.filter2D(plane, cv2.CV_32F, mask))
    inside = response.ravel() if alpha is None else response[alpha > 0.98]
    return float(np.median(inside)) / 0.6745 / 6 if inside.size > 64 else 0.0
