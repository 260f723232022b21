"""Stencil and screen printing: risograph separations in real spot inks, and pop-art panels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from vetrina.clients.engines.builtin.arrays import Pixels, floats
from vetrina.clients.engines.builtin.parameter_values import ParameterValues
from vetrina.clients.engines.builtin.progress import StageProgress
from vetrina.clients.engines.builtin.raster import colour, halftone, paper_textures
from vetrina.clients.engines.builtin.raster.edge_lines import outlines
from vetrina.clients.engines.builtin.raster.image_io import blur, mix, reference_scale, resize, size_of, smoothstep
from vetrina.clients.engines.builtin.raster.smoothing import bilateral_filter, guided_filter
from vetrina.clients.engines.builtin.raster.structure_tensor import estimate_flow
from vetrina.clients.engines.builtin.rng import fractal_noise, white_noise

INK_SETS = {
    "pink_blue_yellow": ("#ff48b0", "#0078bf", "#ffe800"),
    "red_teal": ("#ff4c3b", "#00838a"),
    "orange_navy": ("#ff6c2f", "#23407e"),
    "coral_green_yellow": ("#ff7477", "#00a95c", "#ffd13b"),
    "violet_mint_orange": ("#7a4fc4", "#4ccfa7", "#ff7a30"),
    "blue_black": ("#0078bf", "#2b2b2f"),
}
ANGLES = (15.0, 75.0, 0.0)
PAPER = floats([0.972, 0.957, 0.918])

POP = (
    ("#21133a", "#e6266d", "#ffd400", "#fff2d8"),
    ("#0b2c4a", "#00a6a6", "#ffb4c8", "#fff7e6"),
    ("#3a0c2e", "#ff6a13", "#8fd3ff", "#fffbe0"),
    ("#10311f", "#2fa84f", "#ff8ad0", "#fff6c9"),
    ("#2a1005", "#d4351c", "#7fe0c3", "#fdf3df"),
    ("#120f45", "#5a3ff0", "#ffe14d", "#ffeef4"),
)


def risograph(photo: Pixels, parameters: ParameterValues, rng: Generator, progress: StageProgress) -> Pixels:
    """Render two or three overprinted inks, each with its own screen, slightly out of register."""
    height, width = size_of(photo)
    u = reference_scale(photo)
    inks = INK_SETS[parameters.choice("inks")]
    progress(0.0, "Preparing the artwork")
    art = colour.saturate(colour.contrast(bilateral_filter(photo, 2.5 * u, 0.05, 1), 0.45), 1.35)
    progress(0.14, f"Separating {len(inks)} inks")
    plates = _separate_inks(art, inks)
    sheet = np.broadcast_to(PAPER, photo.shape).copy()
    tooth = paper_textures.paper_tooth(rng, height, width, max(2.0 * u, 1.0))
    slip = parameters.number("misregistration") * u
    period = max(parameters.number("screen") * u, 3.2)
    order = sorted(range(len(inks)), key=lambda i: -float(colour.from_hex(inks[i]).sum()))  # light inks first
    for turn, index in enumerate(order):
        progress(0.32 + 0.2 * turn, f"Printing ink {turn + 1} of {len(inks)}")
        plate = _misregister(plates[:, :, index], rng, slip if turn else 0.0)
        plate = np.clip(plate + np.float32(0.03) * white_noise(rng, height, width, 0.8 * u), 0, 1)
        cover = halftone.dots(plate, period, ANGLES[index])
        cover *= _uneven_ink(tooth, rng, u)
        sheet *= 1 - cover[:, :, None] * (1 - colour.from_hex(inks[index]))
    progress(0.94, "Letting the sheets dry")
    return np.clip(sheet * (0.985 + 0.03 * tooth)[:, :, None], 0, 1)


def _separate_inks(art: Pixels, inks: tuple[str, ...]) -> Pixels:
    """Return the amount of each ink (0 to 1) that is closest to the picture: non-negative least squares in density."""
    height, width = size_of(art)
    small = resize(art, max(height // 2, 8), max(width // 2, 8))
    floor = np.float32(0.035)
    want = -np.log(np.clip(small / PAPER, floor, 1)).reshape(-1, 3)
    ink = np.stack([-np.log(np.clip(colour.from_hex(code), floor, 1)) for code in inks])
    emphasis = floats([1.0, 1.15, 0.8])
    a, b = ink * emphasis, want * emphasis
    gram, pull = a @ a.T + np.float32(0.02) * np.eye(len(inks), dtype=np.float32), b @ a.T
    share = np.full((len(b), len(inks)), 0.3, np.float32)
    rate = np.float32(1 / np.linalg.norm(gram, 2))
    for _ in range(60):
        share = np.clip(share - (share @ gram - pull) * rate, 0, 1)
    plates = share.reshape(small.shape[0], small.shape[1], len(inks))
    plates = np.dstack([resize(plates[:, :, i], height, width) for i in range(len(inks))])
    fine = colour.luma(art)
    fine = (fine - blur(fine, 2.0))[:, :, None]  # sharpness that the half-size separation lost
    return np.clip(plates - fine * (0.3 + plates), 0, 1).astype(np.float32)


def _misregister(plate: Pixels, rng: Generator, slip: float) -> Pixels:
    """Shift and rotate the plate slightly at random."""
    if slip < 0.05:
        return plate
    height, width = plate.shape
    a = rng.uniform(0, 2 * np.pi)
    turn = float(rng.normal(0, 0.0006))
    matrix = floats([[1, -turn, slip * np.cos(a) + turn * height / 2], [turn, 1, slip * np.sin(a) - turn * width / 2]])
    return cv2.warpAffine(plate, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def _uneven_ink(tooth: Pixels, rng: Generator, u: float) -> Pixels:
    """Return the uneven coverage of soy ink: roller bands, and lighter pits of the paper."""
    height, width = size_of(tooth)
    bands = cv2.resize(
        rng.standard_normal((max(height // 24, 2), 1), np.float32),
        (width, height),
        interpolation=cv2.INTER_CUBIC,
    )
    blotch = fractal_noise(rng, height, width, 120 * u, 4)
    specks = smoothstep(2.9, 3.3, white_noise(rng, height, width, 0.9 * u))
    cover = 0.9 + 0.02 * bands + 0.03 * blotch - 0.22 * (0.5 - tooth) * (tooth < 0.5)
    return np.clip(cover - specks * 0.7, 0, 0.98).astype(np.float32)


def pop_art(photo: Pixels, parameters: ParameterValues, rng: Generator, progress: StageProgress) -> Pixels:
    """Render one motif in several colourways: flat screen-printed tones, dotted mid-tones, a black plate on top."""
    height, width = size_of(photo)
    u = reference_scale(photo)
    rows, columns = {"1": (1, 1), "2": (1, 2), "4": (2, 2), "9": (3, 3)}[parameters.choice("panels")]
    if height > width * 1.2 and (rows, columns) == (1, 2):
        rows, columns = 2, 1
    ph, pw = max(height // rows, 8), max(width // columns, 8)
    progress(0.0, "Making the positive")
    motif = _crop_motif(photo, ph, pw)
    pu = reference_scale(photo) * (0.62 if rows * columns > 1 else 1.0)
    tone = colour.local_contrast(colour.levels(colour.lightness(motif), 2, 98), 2.0)
    calm = guided_filter(tone, tone, 5 * pu, 0.002)
    progress(0.12, "Cutting the stencils")
    line = outlines(calm, estimate_flow(motif, 4 * pu), 2.4 * pu, tau=0.988, sharp=110)
    key = np.maximum(smoothstep(0.28, 0.23, calm), smoothstep(0.3, 0.75, line) * np.float32(parameters.number("lines")))
    field = smoothstep(0.565, 0.54, calm + np.float32(0.012) * fractal_noise(rng, ph, pw, 26 * pu, 3))
    lights = smoothstep(0.80, 0.83, calm)
    dotted = halftone.dots(smoothstep(0.80, 0.50, calm) * np.float32(0.8), max(8.5 * pu, 4.0), 22.0)
    first = int(rng.integers(len(POP)))
    sheet = np.empty_like(photo)
    for index in range(rows * columns):
        progress(0.25 + 0.68 * index / (rows * columns), f"Printing panel {index + 1} of {rows * columns}")
        dark, body, ground, pale = (colour.from_hex(code) for code in POP[(first + index) % len(POP)])
        slip = 3.2 * pu
        panel = np.broadcast_to(ground, (ph, pw, 3)).copy()
        panel = mix(panel, np.broadcast_to(pale, panel.shape), _misregister(lights, rng, slip))
        panel = mix(panel, np.broadcast_to(body, panel.shape), _misregister(dotted, rng, slip * 0.5) * 0.92)
        panel = mix(panel, np.broadcast_to(body, panel.shape), _misregister(field, rng, slip) * 0.97)
        ink = _misregister(key, rng, slip * 0.6) * (0.965 + 0.012 * fractal_noise(rng, ph, pw, 50 * pu, 3))
        panel = mix(panel, np.broadcast_to(dark, panel.shape), np.clip(ink, 0, 1))
        top, left = (index // columns) * ph, (index % columns) * pw
        bottom = height if index // columns == rows - 1 else top + ph
        right = width if index % columns == columns - 1 else left + pw
        sheet[top:bottom, left:right] = resize(panel, bottom - top, right - left)
    progress(0.95, "Wiping the squeegee")
    screen = paper_textures.woven_canvas(rng, height, width, max(3.0 * u, 2.2))
    return np.clip(sheet * (0.985 + 0.02 * screen)[:, :, None], 0, 1)


def _crop_motif(photo: Pixels, height: int, width: int) -> Pixels:
    """Return the picture cropped to a panel's size; only a row of two changes its proportions."""
    now_height, now_width = size_of(photo)
    scale = max(height / now_height, width / now_width)
    whole = resize(photo, max(round(now_height * scale), height), max(round(now_width * scale), width))
    top, left = (whole.shape[0] - height) // 2, (whole.shape[1] - width) // 2
    return np.ascontiguousarray(whole[top : top + height, left : left + width])
