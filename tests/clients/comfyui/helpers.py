"""Requests to the ComfyUI engine, in tests."""

from __future__ import annotations

from typing import Any

import pyvips

from tests.clients.helpers import Pauses, RecordedProgress
from tests.fakes.comfyui import ComfyUIFake
from vetrina.clients.engines.base import EngineRequest, EngineResult, validate
from vetrina.clients.engines.comfyui.engine import STYLES, ComfyUI
from vetrina.clients.engines.retry import Backoff

BY_NAME = {style.name: style for style in STYLES}


def make_request(
    prompt: str = "a red cup",
    style: str = "comfyui_imagine",
    products: list[bytes] | None = None,
    models: list[bytes] | None = None,
    seed: int = 7,
    **parameters: Any,
) -> EngineRequest:
    steps = validate(BY_NAME[style], {"side": "512", "steps": 8, **parameters})
    return EngineRequest(style, prompt, steps, seed, products or [], models or [])


def make_engine(fake: ComfyUIFake, **options: Any) -> ComfyUI:
    options.setdefault("backoff", Backoff(sleep=Pauses()))
    options.setdefault("poll", 0.02)
    return ComfyUI(fake.url, **options)


async def generate(make_engine: ComfyUI, request: EngineRequest | None = None) -> tuple[EngineResult, RecordedProgress]:
    steps = RecordedProgress()
    return await make_engine.generate(request or make_request(), steps), steps


def sent(fake: ComfyUIFake, kind: str, prompt: int = -1) -> list[dict[str, Any]]:
    """Return the inputs of the submitted nodes of a class."""
    nodes = fake.prompts[prompt]["prompt"].values()
    return [node["inputs"] for node in nodes if node["class_type"] == kind]


def cut_out(width: int, height: int) -> bytes:
    """Return a red disc on a transparent background."""
    disc = pyvips.Image.black(width, height).draw_circle([255], width // 2, height // 2, width // 2, fill=True)
    red = disc.new_from_image([220, 30, 30]).copy(interpretation="srgb")
    return bytes(red.bandjoin(disc).write_to_buffer(".png"))
