"""Rendered backdrops for a product: paper sweep, plinth with patterned light, white catalogue page."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from vetrina.clients.engines.builtin.arrays import Bytes, Pixels, floats
from vetrina.clients.engines.builtin.parameter_values import ParameterValues
from vetrina.clients.engines.builtin.progress import StageProgress
from vetrina.clients.engines.builtin.raster import colour
from vetrina.clients.engines.builtin.raster.image_io import REFERENCE_SIDE, blur, mix, resize, size_of, smoothstep
from vetrina.clients.engines.builtin.rng import fractal_noise, white_noise
from vetrina.clients.engines.builtin.scenes.composite import Placement, place_all
from vetrina.clients.engines.builtin.scenes.cutout import Cutout

FORMATS = {"portrait": (4, 5), "square": (1, 1), "landscape": (5, 4)}


def frame_size(parameters: ParameterValues) -> tuple[int, int]:
    """Return height and width in pixels of the requested format and size."""
    wide, tall = FORMATS[parameters.choice("format")]
    long_side = parameters.integer("size")
    scale = long_side / max(wide, tall)
    return round(tall * scale), round(wide * scale)


def sweep(
    products: list[Cutout], scene: Pixels | None, parameters: ParameterValues, rng: Generator, progress: StageProgress
) -> Pixels:
    """Render seamless paper that curves from floor to wall, lit from the side."""
    height, width = frame_size(parameters)
    progress(0.0, "Rolling out the paper")
    paper = _paper_colour(products, parameters)
    room = _backdrop(height, width, paper, parameters, rng, 0.70) if scene is None else _defocus(scene, height, width)
    if scene is not None:
        room = _draw_table(room, paper, 0.70)
    progress(0.25, "Setting the lights")
    room = _add_light_pattern(room, parameters.choice("light"), 0.70, rng)
    placement = Placement(
        x=0.5,
        y=0.80 - _half_height(products, parameters, height, width),
        size=parameters.number("product_size"),
        shadow=parameters.number("shadow"),
        colour_match=0.35,
        blend=0.35,
        light="left",
    )
    result = place_all(room, products, placement, rng, progress.part(0.4, 0.95))
    progress(0.95, "Taking the picture")
    return _add_grain(result, rng)


def plinth(
    products: list[Cutout], scene: Pixels | None, parameters: ParameterValues, rng: Generator, progress: StageProgress
) -> Pixels:
    """Render a round plinth before a wall, with shadows of a window or leaves."""
    height, width = frame_size(parameters)
    progress(0.0, "Painting the wall")
    paper = _paper_colour(products, parameters)
    room = _backdrop(height, width, paper, parameters, rng, 0.74) if scene is None else _defocus(scene, height, width)
    if scene is not None:
        room = _draw_table(room, paper, 0.74)
    progress(0.18, "Setting the lights")
    room = _add_light_pattern(room, parameters.choice("light"), 0.74, rng)
    progress(0.3, "Turning the plinth")
    top_y, radius = 0.735 * height, 0.36 * width * (0.72 + 0.5 * parameters.number("product_size"))
    room = _draw_plinth(room, (0.5 * width, top_y), min(radius, 0.46 * width), 0.125 * height, paper, rng)
    placement = Placement(
        x=0.5,
        y=0.755 - _half_height(products, parameters, height, width),
        size=parameters.number("product_size"),
        shadow=parameters.number("shadow"),
        colour_match=0.35,
        blend=0.35,
        light="left",
    )
    result = place_all(room, products, placement, rng, progress.part(0.42, 0.95))
    progress(0.95, "Taking the picture")
    return _add_grain(result, rng)


def catalogue_page(
    products: list[Cutout], scene: Pixels | None, parameters: ParameterValues, rng: Generator, progress: StageProgress
) -> Pixels:
    """Render plain white with a soft shadow and a faint reflection, as shops require. A scene is not used."""
    height, width = frame_size(parameters)
    progress(0.0, "Clearing the table")
    page = np.full((height, width, 3), 0.995, np.float32)
    half = _half_height(products, parameters, height, width)
    placement = Placement(
        x=0.5,
        y=0.5 if parameters.number("reflection") == 0 else 0.47,
        size=parameters.number("product_size"),
        shadow=parameters.number("shadow") * 0.7,
        colour_match=0.0,
        blend=0.15,
        light="above",
    )
    progress(0.2, "Polishing the table")
    base = round((placement.y + half) * height)
    if parameters.number("reflection") > 0 and base < height - 2:
        bare = place_all(page, products, placement._replace(shadow=0.0), rng, progress.part(0.25, 0.4))
        mirrored = np.full_like(page, 0.995)
        depth = min(height - base, base)
        mirrored[base : base + depth] = bare[base - depth : base][::-1]
        y = np.arange(height, dtype=np.float32)[:, None] * np.ones((1, width), np.float32)
        fade = smoothstep(base + 0.55 * 2 * half * height, base, y) * np.float32(0.34 * parameters.number("reflection"))
        page = mix(page, blur(mirrored, max(height / 500, 0.5)), fade * (y >= base))
    result = place_all(page, products, placement, rng, progress.part(0.45, 0.95))
    progress(0.95, "Taking the picture")
    return np.clip(result, 0, 1)


def _half_height(products: list[Cutout], parameters: ParameterValues, height: int, width: int) -> float:
    """Return half of the tallest product's height as a share of the picture's, at the requested size."""
    many = len(products) ** 0.6 if len(products) > 1 else 1.0
    size = parameters.number("product_size") * min(height, width) / many
    return max(size * product.colour.shape[0] / max(size_of(product.colour)) for product in products) / height / 2


def _paper_colour(products: list[Cutout], parameters: ParameterValues) -> Pixels:
    """Return the requested colour (as Lab), or a muted one of the product's complementary hue."""
    if not parameters.boolean("colour_from_product"):
        return colour.lab(parameters.colour("backdrop")[None, None])[0, 0]
    product = products[0]
    tone = colour.lab(product.colour)
    vivid = np.hypot(tone[:, :, 1], tone[:, :, 2]) * product.alpha + np.float32(1e-3)
    a = float((tone[:, :, 1] * vivid).sum() / vivid.sum())
    b = float((tone[:, :, 2] * vivid).sum() / vivid.sum())
    strength = max((a * a + b * b) ** 0.5, 1e-3)
    bright = float((tone[:, :, 0] * product.alpha).sum() / max(float(product.alpha.sum()), 1))
    return floats([80 if bright < 60 else 62, -a / strength * 15, -b / strength * 17])


def _backdrop(height: int, width: int, paper: Pixels, parameters: ParameterValues, rng: Generator, horizon: float) -> Pixels:
    """Return wall and floor in one colour with a soft pool of light and a soft transition."""
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    pool = np.exp(-(((x - 0.36) / 0.62) ** 2) - ((y - 0.34) / 0.55) ** 2)
    floor = smoothstep(horizon - 0.07, horizon + 0.10, y * np.ones_like(x))
    bend = np.exp(-(((y - horizon) / 0.055) ** 2))
    tone = np.empty((height, width, 3), np.float32)
    tone[:, :, 0] = paper[0] * (0.80 + 0.24 * pool + 0.10 * floor * (1 - 0.35 * x) - 0.045 * bend)
    tone[:, :, 0] += np.float32(0.5) * fractal_noise(rng, height, width, width * 0.5, 3)
    tone[:, :, 1:] = paper[1:] * (1 + 0.12 * (1 - pool))[:, :, None]
    tone[:, :, 0] = np.minimum(tone[:, :, 0], 97)
    return colour.from_lab(tone)


def _defocus(scene: Pixels, height: int, width: int) -> Pixels:
    """Return the scene photograph filling the frame, out of focus."""
    tall, wide = size_of(scene)
    scale = max(height / tall, width / wide)
    whole = resize(scene, max(round(tall * scale), height), max(round(wide * scale), width))
    top, left = (whole.shape[0] - height) // 2, (whole.shape[1] - width) // 2
    view = np.ascontiguousarray(whole[top : top + height, left : left + width])
    radius = max(round(0.016 * max(height, width)), 2)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)).astype(np.float32)
    half = np.clip(resize(view, max(height // 2, 8), max(width // 2, 8)), 0, 1)
    half = half ** np.float32(2.2)  # lights bloom as light does
    soft = cv2.filter2D(half, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT)
    return np.clip(resize(np.clip(soft, 0, 1) ** np.float32(1 / 2.2), height, width), 0, 1)


def _draw_table(room: Pixels, paper: Pixels, horizon: float) -> Pixels:
    """Draw a table top in the paper's colour below the horizon, with the room's light on it."""
    height, width = size_of(room)
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None] * np.ones((1, width), np.float32)
    table = smoothstep(horizon - 0.004, horizon + 0.004, y)
    glow = blur(room[::-1], 0.05 * width)
    top = colour.from_lab(paper[None, None])[0, 0] * np.float32(0.8)
    surface = top * (0.62 + 0.5 * glow) * (0.86 + 0.3 * (y - horizon))[:, :, None]
    return np.clip(mix(room, surface, table), 0, 1)


def _add_light_pattern(room: Pixels, light: str, horizon: float, rng: Generator) -> Pixels:
    """Add the shadows of window panes or leaves."""
    if light == "softbox":
        return room
    height, width = size_of(room)
    u = max(height, width) / REFERENCE_SIDE
    mask = np.zeros((height, width), np.uint8)
    if light == "window":
        for row in range(3):
            for column in range(2):
                corner = floats([[0, 0], [1, 0], [1, 1], [0, 1]]) * floats([0.20, 0.19])
                corner += floats([0.30 + column * 0.235, 0.06 + row * 0.225])
                corner[:, 0] += corner[:, 1] * np.float32(0.32) - 0.10
                cv2.fillConvexPoly(mask, np.round(corner * [width, height] * 16).astype(np.int32), (255,), cv2.LINE_AA, 4)
        lit = blur(mask.astype(np.float32) / 255, 9 * u)
        return np.clip(room * (0.76 + 0.36 * lit)[:, :, None], 0, 1)
    mask[:] = 255
    for _ in range(30):
        stem = rng.uniform([-0.1, -0.1], [1.1, horizon * 0.95]) * [width, height]
        turn = rng.uniform(-70, 20)
        for side in range(9):
            reach = (30 + 18 * side) * u * 1.5
            angle = np.radians(turn)
            middle = stem + reach * np.array([np.cos(angle), np.sin(angle)])
            tilt = turn + (48 if side % 2 else -48)
            leaf = middle + 32 * u * np.array([np.cos(np.radians(tilt)), np.sin(np.radians(tilt))])
            axes = (max(round(38 * u * 16), 16), max(round(10 * u * 16), 16))
            centre = (round(float(leaf[0]) * 16), round(float(leaf[1]) * 16))
            cv2.ellipse(mask, centre, axes, float(tilt), 0, 360, (0,), -1, cv2.LINE_AA, 4)
    near = blur(mask.astype(np.float32) / 255, 7 * u)
    far = blur(mask.astype(np.float32) / 255, 20 * u)
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None] * np.ones((1, width), np.float32)
    lit = mix(near, far, smoothstep(0.1, 0.7, y))
    return np.clip(room * (0.80 + 0.26 * lit)[:, :, None], 0, 1)


def _draw_plinth(room: Pixels, centre: tuple[float, float], radius: float, tall: float, paper: Pixels, rng: Generator) -> Pixels:
    """Draw a low round plinth on the floor, lit from the left, with its shadow."""
    height, width = size_of(room)
    flat = radius * 0.24
    cx, cy = centre
    body = np.zeros((height, width), np.uint8)
    top = np.zeros_like(body)

    def oval(plane: Bytes, y: float, grow: float = 1.0) -> None:
        axes = (max(round(radius * grow * 16), 16), max(round(flat * grow * 16), 16))
        cv2.ellipse(plane, (round(cx * 16), round(y * 16)), axes, 0, 0, 360, (255,), -1, cv2.LINE_AA, 4)

    oval(top, cy)
    oval(body, cy)
    oval(body, cy + tall)
    cv2.rectangle(body, (round(cx - radius), round(cy)), (round(cx + radius), round(cy + tall)), (255,), -1)
    floor_shadow = np.zeros_like(body)
    oval(floor_shadow, cy + tall + flat * 0.06, 1.04)
    shift = floats([[1, 0, radius * 0.24], [0, 1, flat * 0.12]])
    thrown = cv2.warpAffine(floor_shadow, shift, (width, height)).astype(np.float32) / 255
    close = blur(floor_shadow.astype(np.float32) / 255, radius * 0.03)
    room = room * (1 - np.float32(0.30) * blur(thrown, radius * 0.11) - np.float32(0.26) * close)[:, :, None]
    x = (np.arange(width, dtype=np.float32)[None, :] - np.float32(cx)) / np.float32(radius)
    across = np.clip(x, -1, 1) * np.ones((height, 1), np.float32)
    facing = np.sqrt(np.clip(1 - across * across, 0, 1))
    side = 0.56 + 0.42 * np.clip(facing * 0.72 - across * 0.62, 0, 1) + np.float32(0.07) * smoothstep(0.8, 1.0, across)
    base = colour.from_lab((paper * floats([1.05, 0.9, 0.9]))[None, None])[0, 0]
    plaster = (
        1 + np.float32(0.012) * white_noise(rng, height, width, 1.2) + np.float32(0.01) * fractal_noise(rng, height, width, 60, 3)
    )
    skin = np.clip(base * (side * plaster)[:, :, None], 0, 1)
    lid = np.clip(base * ((1.12 - 0.10 * across) * plaster)[:, :, None], 0, 1)
    result = mix(room, skin, body.astype(np.float32) / 255)
    cover = top.astype(np.float32) / 255
    result = mix(result, lid, cover)
    rim = np.clip(cover - blur(cover, 1.2), 0, 1)
    return np.clip(result + (rim * np.float32(0.10))[:, :, None], 0, 1)


def _add_grain(picture: Pixels, rng: Generator) -> Pixels:
    """Add slight grain, which also prevents banding of smooth gradients."""
    height, width = size_of(picture)
    return np.clip(picture + (white_noise(rng, height, width, 0.5) * np.float32(0.006))[:, :, None], 0, 1)
