"""The OpenAI-compatible engine when its endpoint fails, refuses or misbehaves."""

from __future__ import annotations

import asyncio
import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_network

import pytest
import pyvips
from structlog.testing import capture_logs

from tests.clients.helpers import Pauses, photograph, wait_until
from tests.clients.openai.helpers import KEY, generate, make_engine, make_request
from tests.fakes.openai_images import (
    OpenAIImagesFake,
    Reply,
    answer,
    bad_key,
    broken,
    busy,
    moderated,
    out_of_credit,
    refusal,
)
from vetrina.clients.engines.base import EngineRefused, EngineUnavailable
from vetrina.clients.engines.openai.engine import DEFAULT_MODEL, OpenAIImages
from vetrina.clients.engines.retry import Backoff

pytestmark = pytest.mark.asyncio


# Faults that pass


async def test_retry_after_is_obeyed(openai_fake: OpenAIImagesFake):
    pauses = Pauses()
    openai_fake.next(busy(after=7), busy(after=format_datetime(datetime.now(UTC) + timedelta(seconds=20))))
    result, steps = await generate(make_engine(openai_fake, backoff=Backoff(sleep=pauses)))
    assert 7 <= pauses.seconds[0] < 8
    assert 18 < pauses.seconds[1] < 21
    assert result.notes["tries"] == 3
    assert len(keys(openai_fake)) == 1
    assert "busy just now. Trying again in 7 s" in steps.words


async def test_too_long_retry_after_is_unavailable(openai_fake: OpenAIImagesFake):
    openai_fake.next(busy(after=1800))
    with pytest.raises(EngineUnavailable, match=r"busy.*wait 30 minutes"):
        await generate(make_engine(openai_fake))
    assert len(openai_fake.received) == 1


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503])
async def test_transient_errors_are_retried_with_the_same_key(openai_fake: OpenAIImagesFake, status: int):
    openai_fake.next(broken(status), broken(status))
    result, _ = await generate(make_engine(openai_fake))
    assert result.notes["tries"] == 3
    assert len(keys(openai_fake)) == 1


async def test_retries_are_bounded_and_pauses_double(openai_fake: OpenAIImagesFake):
    pauses = Pauses()
    openai_fake.always(broken())
    with pytest.raises(EngineUnavailable, match="fault of its own"):
        await generate(make_engine(openai_fake, backoff=Backoff(tries=5, first=1.0, longest=4.0, sleep=pauses)))
    assert len(openai_fake.received) == 5
    for seconds, middle in zip(pauses.seconds, [1, 2, 4, 4], strict=True):
        assert 0.75 * middle <= seconds <= 1.25 * middle


async def test_each_picture_has_its_own_idempotency_key(openai_fake: OpenAIImagesFake):
    engine = make_engine(openai_fake)
    await generate(engine)
    await generate(engine)
    assert len(keys(openai_fake)) == 2


@pytest.mark.parametrize("stream", [True, False])
async def test_connection_lost_in_the_body_is_retried(openai_fake: OpenAIImagesFake, stream: bool):
    openai_fake.next(answer(drop=True))
    result, _ = await generate(make_engine(openai_fake, stream=stream))
    assert result.notes["tries"] == 2


async def test_unreachable_server_is_unavailable():
    with socket.socket() as taken:  # bound, not listening: refuses every connection
        taken.bind(("127.0.0.1", 0))
        pauses = Pauses()
        engine = OpenAIImages(f"http://127.0.0.1:{taken.getsockname()[1]}/v1", KEY, backoff=Backoff(sleep=pauses))
        with pytest.raises(EngineUnavailable, match="could not be reached"):
            await generate(engine)
    assert len(pauses.seconds) == 3


async def test_slow_endpoint_times_out(openai_fake: OpenAIImagesFake):
    openai_fake.next(answer(seconds=20))
    began = time.monotonic()
    with pytest.raises(EngineUnavailable, match=r"within 0.3 seconds"):
        await generate(make_engine(openai_fake, whole_timeout=0.3))
    assert time.monotonic() - began < 3
    await wait_until(lambda: openai_fake.gone == 1)


async def test_cancelling_closes_the_connection(openai_fake: OpenAIImagesFake):
    openai_fake.next(answer(seconds=20))
    task = asyncio.create_task(generate(make_engine(openai_fake)))
    await wait_until(lambda: len(openai_fake.received) == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await wait_until(lambda: openai_fake.gone == 1)


# Refusals, in plain words


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (moderated("violence"), "safety rules declined this request. It names: violence."),
        (refusal(400, "content_policy_violation", "rejected"), "safety rules"),
        (out_of_credit(), "run out of credit. Nothing is wrong with your request"),
        (
            refusal(400, "billing_hard_limit_reached", "Billing hard limit has been reached"),
            "run out of credit",
        ),
        (bad_key(KEY), "did not accept this site's key"),
        (refusal(403, "unsupported_country", "no"), "does not let this site"),
        (refusal(404, "model_not_found", "The model does not exist"), f"not offer the model {DEFAULT_MODEL}"),
        (refusal(400, "invalid_image_file", "Invalid image"), "could not use one of the photographs"),
        (refusal(413, None, "too large"), "too large for the image service"),
        (refusal(400, "invalid_value", "Invalid size"), "did not accept the request"),
        (Reply(status=302, body=b"", headers={"Location": "http://elsewhere.invalid/"}), "another address"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_refusal_is_not_retried_and_hides_the_key(openai_fake: OpenAIImagesFake, reply: Reply, words: str):
    openai_fake.next(reply)
    with capture_logs() as logs, pytest.raises(EngineRefused) as refused:
        await generate(make_engine(openai_fake))
    assert words in refused.value.message
    assert len(openai_fake.received) == 1
    assert KEY not in refused.value.message
    assert logs[0]["status"] == reply.status
    assert KEY not in str(logs)


async def test_invalid_request_is_not_sent(openai_fake: OpenAIImagesFake):
    engine = make_engine(openai_fake)
    for request, words in [
        (make_request(""), "Say in a few words"),
        (make_request(style="openai_packshot"), "needs a photograph of a product"),
        (make_request(style="openai_worn_by_model", products=[photograph()]), "needs a photograph of a person"),
        (make_request(products=[b"GIF89a"]), "not a PNG, JPEG or WebP"),
        (make_request(products=[photograph(60, 40)] * 17), "up to 16 photographs; you gave 17"),
    ]:
        with pytest.raises(EngineRefused, match=words):
            await generate(engine, request)
    assert openai_fake.received == []


# Answers that cannot be used


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (Reply(body=b'{"created": 1, "data": [{"b64'), EngineUnavailable, "could not be read"),
        (Reply(body=b"<html>welcome</html>", mime="text/html"), EngineUnavailable, "could not be read"),
        (Reply(body=b'{"data": []}'), EngineRefused, "without a picture"),
        (Reply(body=b'{"data": [{"b64_json": "%%%"}]}'), EngineRefused, "not a picture"),
        (answer(picture=b"MZ not a picture at all"), EngineRefused, "not a picture"),
        (answer(picture=b"\x89PNG\r\n\x1a\n broken"), EngineRefused, "not a picture"),
        (answer(picture=b"<svg xmlns='http://www.w3.org/2000/svg'/>"), EngineRefused, "not a picture"),
        (
            Reply(body=b"data: {nonsense\n\n", mime="text/event-stream"),
            EngineUnavailable,
            "could not be read",
        ),
    ],
)
async def test_unusable_response_is_refused(openai_fake: OpenAIImagesFake, reply: Reply, error: type[Exception], words: str):
    openai_fake.next(reply)
    with pytest.raises(error, match=words):
        await generate(make_engine(openai_fake))
    assert len(openai_fake.received) == 1


async def test_oversized_response_is_refused(openai_fake: OpenAIImagesFake):
    openai_fake.next(answer(picture=bytes(300_000)), answer(ignore_streaming=True, picture=bytes(300_000)))
    engine = make_engine(openai_fake, largest_answer=100_000)
    for _ in range(2):
        with pytest.raises(EngineRefused, match=r"more than 0.09"):
            await generate(engine)


async def test_image_of_too_many_pixels_is_refused(openai_fake: OpenAIImagesFake):
    huge = bytes(pyvips.Image.black(8000, 6000).write_to_buffer(".png"))
    openai_fake.next(answer(picture=huge))
    with pytest.raises(EngineRefused, match="8000 by 6000"):
        await generate(make_engine(openai_fake))


async def test_compressed_response_is_refused(openai_fake: OpenAIImagesFake):
    openai_fake.next(Reply(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}))
    with pytest.raises(EngineRefused, match="compressed"):
        await generate(make_engine(openai_fake))
    assert openai_fake.received[0].headers["accept-encoding"] == "identity"


# Answers by address


async def test_url_on_the_own_server_is_fetched_with_the_key(openai_fake: OpenAIImagesFake):
    openai_fake.next(answer(url="{files}"))
    result, _ = await generate(make_engine(openai_fake))
    assert result.images == [openai_fake.last_picture]
    assert result.notes["revised_prompt"] == "as asked"
    assert openai_fake.fetched[0]["authorization"] == f"Bearer {KEY}"


async def test_file_download_is_retried_without_generating_again(openai_fake: OpenAIImagesFake):
    openai_fake.next(answer(url="/files/1.png"))
    openai_fake.file_replies.append(Reply(status=503))
    await generate(make_engine(openai_fake))
    assert len(openai_fake.fetched) == 2 and len(openai_fake.received) == 1


@pytest.mark.parametrize(
    "form",
    [
        "http://127.0.0.1:{port}/files/1.png",
        "http://localhost:{own}/1.png",
        "ftp://x/1",
        "//x/1",
        "http://[::1/1",
    ],
)
async def test_private_url_is_not_fetched(openai_fake: OpenAIImagesFake, form: str):
    with OpenAIImagesFake() as other:
        openai_fake.next(answer(url=form.format(port=other.port, own=openai_fake.port)))
        with pytest.raises(EngineRefused, match="another server"):
            await generate(make_engine(openai_fake))
        assert other.fetched == [] and openai_fake.fetched == []


async def test_url_on_an_allowed_network_is_fetched_without_the_key(openai_fake: OpenAIImagesFake):
    with OpenAIImagesFake() as other:
        picture = photograph(64, 48, ".png")
        other.file_replies.append(Reply(body=picture))
        openai_fake.next(answer(url=f"{other.url}/files/1.png"))
        result, _ = await generate(make_engine(openai_fake, download_networks=[ip_network("127.0.0.0/8")]))
        assert result.images == [picture]
        assert len(other.fetched) == 1 and "authorization" not in other.fetched[0]


async def test_file_redirect_is_not_followed(openai_fake: OpenAIImagesFake):
    with OpenAIImagesFake() as other:
        openai_fake.next(answer(url="{files}"))
        openai_fake.file_replies.append(Reply(status=302, headers={"Location": f"{other.url}/files/1.png"}))
        with pytest.raises(EngineRefused, match="does not hand it out"):
            await generate(make_engine(openai_fake))
        assert other.fetched == []


async def test_proxy_of_the_environment_is_ignored(openai_fake: OpenAIImagesFake, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    await generate(make_engine(openai_fake))
    assert len(openai_fake.received) == 1


async def test_invalid_base_url_raises():
    for address in ("", "image.example", "ftp://image.example/v1"):
        with pytest.raises(ValueError, match="http"):
            OpenAIImages(address, KEY)


def keys(openai_fake: OpenAIImagesFake) -> set[str]:
    return {call.headers["idempotency-key"] for call in openai_fake.received}
