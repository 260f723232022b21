"""Requests to the OpenAI-compatible engine, in tests."""

from __future__ import annotations

from typing import Any

from tests.clients.helpers import Pauses, RecordedProgress
from tests.fakes.openai_images import OpenAIImagesFake
from vetrina.clients.engines.base import EngineRequest, EngineResult, validate
from vetrina.clients.engines.openai.engine import STYLES, OpenAIImages
from vetrina.clients.engines.retry import Backoff

KEY = "sk-test-0123456789abcdef"
BY_NAME = {style.name: style for style in STYLES}


def make_request(
    prompt: str = "a red cup",
    style: str = "openai_own_words",
    products: list[bytes] | None = None,
    models: list[bytes] | None = None,
    **parameters: Any,
) -> EngineRequest:
    return EngineRequest(style, prompt, validate(BY_NAME[style], parameters), 7, products or [], models or [])


def make_engine(openai_fake: OpenAIImagesFake, **options: Any) -> OpenAIImages:
    options.setdefault("backoff", Backoff(sleep=Pauses()))
    return OpenAIImages(openai_fake.base_url, KEY, **options)


async def generate(make_engine: OpenAIImages, request: EngineRequest | None = None) -> tuple[EngineResult, RecordedProgress]:
    steps = RecordedProgress()
    return await make_engine.generate(request or make_request(), steps), steps
