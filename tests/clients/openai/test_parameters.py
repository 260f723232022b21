"""Optional parameters: what each model family is sent, and what happens when an endpoint refuses one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.clients.helpers import photograph
from tests.clients.openai.helpers import generate, make_engine, make_request
from tests.fakes.openai_images import OpenAIImagesFake, Reply, answer, refusal
from vetrina.clients.engines.base import EngineRefused
from vetrina.clients.engines.openai.model_families import FAMILIES, OTHER, family_of

pytestmark = pytest.mark.asyncio


def sent(fake: OpenAIImagesFake, index: int = -1) -> dict[str, Any]:
    """Return the optional parameters of a received call."""
    fields = fake.received[index].fields
    return {name: value for name, value in fields.items() if name not in ("model", "prompt", "n", "partial_images")}


@pytest.mark.parametrize(
    ("model", "parameters", "expected"),
    [
        ("dall-e-2", {"quality": "high"}, {"size": "1024x1024", "response_format": "b64_json"}),
        ("dall-e-3", {"quality": "high", "shape": "landscape"},
         {"size": "1792x1024", "quality": "hd", "response_format": "b64_json"}),
        ("openai/dall-e-3", {"quality": "auto"}, {"size": "1024x1024", "response_format": "b64_json"}),
        ("gpt-image-1.5", {"quality": "low", "format": "webp"},
         {"size": "1024x1024", "quality": "low", "output_format": "webp", "stream": True}),
        ("chatgpt-image-latest", {}, {"size": "1024x1024", "quality": "auto", "output_format": "png", "stream": True}),
        ("grok-2-image-1212", {"quality": "high", "format": "jpeg"}, {"response_format": "b64_json"}),
        ("flux.1-dev", {"format": "jpeg"},
         {"size": "1024x1024", "output_format": "jpeg", "response_format": "b64_json", "stream": True}),
    ],
)  # fmt: skip
async def test_each_family_is_sent_its_own_parameters(
    openai_fake: OpenAIImagesFake, model: str, parameters: dict[str, Any], expected: dict[str, Any]
):
    await generate(make_engine(openai_fake, model=model), make_request(**parameters))
    assert sent(openai_fake) == expected


async def test_family_is_chosen_by_the_model_name():
    assert family_of("gpt-image-2.5-flare") is FAMILIES[0]
    assert family_of("gpt-image-1-mini") is FAMILIES[1]
    assert family_of("azure/DALL-E-3").max_prompt == 4000
    assert family_of("stable-diffusion-xl") is OTHER


@pytest.mark.parametrize(
    ("model", "prompt", "photographs", "message"),
    [
        ("dall-e-3", "a cup", 1, "works from words alone"),
        ("dall-e-2", "a cup", 2, "up to 1 photograph; you gave 2"),
        ("dall-e-2", "a" * 1001, 0, "takes 1,000 characters"),
    ],
)
async def test_unsupported_input_is_refused_before_sending(
    openai_fake: OpenAIImagesFake, model: str, prompt: str, photographs: int, message: str
):
    with pytest.raises(EngineRefused, match=message):
        await generate(make_engine(openai_fake, model=model), make_request(prompt, products=[photograph(60, 40)] * photographs))
    assert openai_fake.received == []


def named(name: str) -> Reply:
    return refusal(400, "unknown_parameter", f"Unknown parameter: '{name}'.", param=name)


def unnamed(message: str) -> Reply:
    return refusal(400, None, message)


def fastapi(name: str) -> Reply:
    detail = [{"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted", "input": "png"}]
    return Reply(status=422, body=json.dumps({"detail": detail}).encode())


@pytest.mark.parametrize(
    ("parameter", "reply"),
    [
        ("response_format", named("response_format")),
        ("output_format", fastapi("output_format")),
        ("size", unnamed("Argument not supported: size")),
        ("output_format", unnamed("Unrecognized request argument supplied: output_format")),
        ("response_format", unnamed("Parameter `response_format` is not supported by this model.")),
        ("n", unnamed("Unknown field 'n'")),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
async def test_refused_parameter_is_left_out_and_remembered(
    openai_fake: OpenAIImagesFake, parameter: str, reply: Reply, stream: bool
):
    openai_fake.always(answer(unknown={parameter: reply}))
    engine = make_engine(openai_fake, model="flux.1-dev", stream=stream)
    result, _ = await generate(engine)
    await generate(engine)
    assert [parameter in call.fields for call in openai_fake.received] == [True, False, False]
    assert result.images and result.notes["left_out"] == [parameter] and result.notes["tries"] == 1
    keys = [call.headers["idempotency-key"] for call in openai_fake.received]
    assert len(set(keys)) == 3  # another body under the same key would be a conflict


async def test_several_refused_parameters_are_left_out(openai_fake: OpenAIImagesFake):
    openai_fake.always(answer(unknown={name: named(name) for name in ("size", "response_format", "output_format")}))
    engine = make_engine(openai_fake, model="flux.1-dev")
    await generate(engine, make_request(products=[photograph()]))
    assert len(openai_fake.received) == 4
    assert sent(openai_fake) == {"stream": "true"}


async def test_refused_value_keeps_the_parameter_for_other_values(openai_fake: OpenAIImagesFake):
    message = "Invalid value: 'high'. Supported values are: 'low' and 'medium'."
    openai_fake.next(refusal(400, "invalid_value", message, param="quality"))
    engine = make_engine(openai_fake, model="flux.1-dev")
    for quality in ("high", "high", "low"):
        await generate(engine, make_request(quality=quality))
    assert [call.fields.get("quality") for call in openai_fake.received] == ["high", None, None, "low"]


@pytest.mark.parametrize(
    "reply",
    [
        refusal(400, "invalid_value", "Invalid prompt", param="prompt"),
        refusal(400, None, "The prompt 'a size 12 shoe of unknown quality' was rejected"),
        refusal(400, "moderation_blocked", "Unknown parameter: 'size'", param="size"),
        refusal(403, "unknown_parameter", "Unknown parameter: 'size'.", param="size"),
    ],
)
async def test_other_refusals_leave_no_parameter_out(openai_fake: OpenAIImagesFake, reply: Reply):
    openai_fake.next(reply)
    with pytest.raises(EngineRefused):
        await generate(make_engine(openai_fake))
    assert len(openai_fake.received) == 1
