"""The OpenAI-compatible engine against a loopback endpoint that speaks the real wire format."""

from __future__ import annotations

import pytest
import pyvips

from tests.clients.helpers import RecordedProgress, photograph
from tests.clients.openai.helpers import BY_NAME, KEY, generate, make_engine, make_request
from tests.fakes.openai_images import OpenAIImagesFake, answer
from vetrina.clients.engines.base import EngineRefused
from vetrina.clients.engines.openai.engine import DEFAULT_MODEL, STYLES, OpenAIImages

pytestmark = pytest.mark.asyncio


# Happy paths


async def test_prompt_without_photographs_calls_generations(openai_fake: OpenAIImagesFake):
    result, steps = await generate(
        make_engine(openai_fake), make_request("a red cup", quality="low", shape="landscape", format="webp")
    )
    (call,) = openai_fake.received
    assert call.path == "generations"
    assert call.headers["authorization"] == f"Bearer {KEY}"
    assert call.fields == {
        "model": DEFAULT_MODEL,
        "prompt": "a red cup",
        "n": 1,
        "size": "1536x1024",
        "quality": "low",
        "output_format": "webp",
        "stream": True,
        "partial_images": 2,
    }
    assert result.images == [openai_fake.last_picture]
    assert result.mime == "image/webp"
    assert pyvips.Image.new_from_buffer(result.images[0], "").width == 1536
    assert result.notes["tries"] == 1 and result.notes["usage"]["output_tokens"] == 4160
    assert "takes shape (1)" in steps.words and "takes shape (2)" in steps.words


async def test_photographs_are_sent_to_edits_in_order_and_unchanged(openai_fake: OpenAIImagesFake):
    product, second, model = photograph(suffix=".png"), photograph(shade=20), photograph(400, 800, ".webp")
    request = make_request("by the sea", "openai_worn_by_model", [product, second], [model], framing="full length")
    result, _ = await generate(make_engine(openai_fake), request)
    (call,) = openai_fake.received
    assert call.path == "edits"
    assert [(part.name, part.filename, part.mime) for part in call.parts] == [
        ("image[]", "product-1.png", "image/png"),
        ("image[]", "product-2.jpg", "image/jpeg"),
        ("image[]", "model-3.webp", "image/webp"),
    ]
    assert [part.data for part in call.parts] == [product, second, model]
    prompt = call.fields["prompt"]
    assert "Pictures 1 to 2 show the product; Picture 3 shows the person." in prompt
    assert "full length" in prompt and "by the sea" in prompt
    assert result.images == [openai_fake.last_picture]


async def test_single_photograph_is_the_part_image(openai_fake: OpenAIImagesFake):
    await generate(
        make_engine(openai_fake), make_request(style="openai_product_on_marble", products=[photograph()], stone="green")
    )
    assert [part.name for part in openai_fake.received[0].parts] == ["image"]
    assert "green marble" in openai_fake.received[0].fields["prompt"]


@pytest.mark.parametrize(
    ("model", "size", "expected"),
    [
        ("gpt-image-1.5", (900, 600), "1536x1024"),
        ("gpt-image-1.5", (600, 900), "1024x1536"),
        ("gpt-image-1.5", (800, 810), "1024x1024"),
        ("gpt-image-2.5-flare", (1600, 900), "1680x944"),
        ("gpt-image-2.5-flare", (4000, 400), "2128x736"),
    ],
)
async def test_size_follows_the_photograph(openai_fake: OpenAIImagesFake, model: str, size: tuple[int, int], expected: str):
    await generate(make_engine(openai_fake, model=model), make_request(products=[photograph(*size)]))
    assert openai_fake.received[0].fields["size"] == expected


async def test_cut_out_requests_a_transparent_background(openai_fake: OpenAIImagesFake):
    request = make_request(style="openai_packshot", products=[photograph()], background="transparent")
    await generate(make_engine(openai_fake), request)
    assert openai_fake.received[0].fields["background"] == "transparent"
    assert "jpeg" not in BY_NAME["openai_packshot"].parameters[-1].choices


async def test_every_style_works_and_discloses_the_transfer(openai_fake: OpenAIImagesFake):
    engine = make_engine(openai_fake, stream=False)
    for style in STYLES:
        assert "leave this site" in style.description
        request = make_request("", style.name, [photograph()], [photograph()] if style.needs_model else [])
        result, _ = await generate(engine, request)
        assert result.mime == "image/png"
        assert "{" not in openai_fake.received[-1].fields["prompt"]


async def test_no_key_sends_no_authorization(openai_fake: OpenAIImagesFake):
    await OpenAIImages(openai_fake.base_url, None).generate(make_request(), RecordedProgress())
    assert "authorization" not in openai_fake.received[0].headers


# Streaming


async def test_refused_streaming_is_turned_off_and_remembered(
    openai_fake: OpenAIImagesFake,
):
    openai_fake.always(answer(refuse_streaming=True))
    engine = make_engine(openai_fake)
    await generate(engine)
    result, _ = await generate(engine)
    assert [call.fields.get("stream", False) for call in openai_fake.received] == [True, False, False]
    assert result.notes["tries"] == 1


async def test_ignored_stream_parameter_is_handled(openai_fake: OpenAIImagesFake):
    openai_fake.next(answer(ignore_streaming=True))
    result, _ = await generate(make_engine(openai_fake))
    assert result.images == [openai_fake.last_picture]


async def test_interrupted_stream_is_retried_and_progress_never_falls(
    openai_fake: OpenAIImagesFake,
):
    openai_fake.next(answer(partials=2, stream_error={"message": "overloaded", "type": "server_error", "code": None}))
    result, steps = await generate(make_engine(openai_fake))
    fractions = [fraction for fraction, _ in steps.steps]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    assert result.notes["tries"] == 2


async def test_refusal_in_the_stream_is_not_retried(openai_fake: OpenAIImagesFake):
    error = {
        "message": "no",
        "type": "image_generation_user_error",
        "code": "moderation_blocked",
        "param": None,
    }
    openai_fake.next(answer(stream_error=error))
    with pytest.raises(EngineRefused, match="safety rules"):
        await generate(make_engine(openai_fake))
    assert len(openai_fake.received) == 1
