"""The ComfyUI engine when its server fails, refuses, restarts or loses the line; and cancelling."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.clients.comfyui.helpers import generate, make_engine, make_request
from tests.clients.helpers import Pauses, RecordedProgress, photograph, wait_until
from tests.fakes.comfyui import ComfyUIFake, Reply, broken
from vetrina.clients.engines.base import EngineRefused, EngineUnavailable
from vetrina.clients.engines.comfyui.engine import ComfyUI
from vetrina.clients.engines.retry import Backoff

pytestmark = pytest.mark.asyncio


# The line


async def test_polling_works_without_a_socket(comfyui_fake: ComfyUIFake):
    comfyui_fake.refuse_socket = True
    result, steps = await generate(make_engine(comfyui_fake))
    assert result.mime == "image/png"
    assert "at work" in steps.words and "Painting" not in steps.words


async def test_lost_socket_falls_back_to_polling(comfyui_fake: ComfyUIFake):
    comfyui_fake.drop_socket_at = 3
    with capture_logs() as logs:
        result, steps = await generate(make_engine(comfyui_fake))
    assert result.mime == "image/png"
    assert "step 2 of 8" in steps.words and "step 6 of 8" not in steps.words
    assert [log["event"] for log in logs] == ["comfyui_socket_lost"]


# Faults that pass


@pytest.mark.parametrize("path", ["/object_info", "/upload", "/prompt", "/queue", "/history", "/view"])
async def test_transient_error_of_any_call_is_retried(comfyui_fake: ComfyUIFake, path: str):
    pauses = Pauses()
    comfyui_fake.next(path, broken(503), broken(429, Retry_After="3"))
    request = make_request(style="comfyui_reimagine", products=[photograph()])
    result, _ = await generate(make_engine(comfyui_fake, backoff=Backoff(sleep=pauses)), request)
    assert result.mime == "image/png"
    assert len(comfyui_fake.prompts) == 1
    assert any(3 <= seconds < 4 for seconds in pauses.seconds)


async def test_truncated_download_is_retried(comfyui_fake: ComfyUIFake):
    comfyui_fake.next("/view", Reply(drop=True))
    result, _ = await generate(make_engine(comfyui_fake))
    assert result.mime == "image/png"


@pytest.mark.parametrize("old", [False, True])
async def test_submission_with_lost_response_is_not_repeated(comfyui_fake: ComfyUIFake, old_comfyui_fake: ComfyUIFake, old: bool):
    fake = old_comfyui_fake if old else comfyui_fake
    fake.step_seconds = 0.03  # old servers show it in the queue alone, by our client id
    fake.next("/prompt", Reply(drop=True))
    result, _ = await generate(make_engine(fake))
    assert result.mime == "image/png"
    assert len(fake.prompts) == 1


async def test_retries_are_bounded(comfyui_fake: ComfyUIFake):
    comfyui_fake.next("/prompt", *[broken()] * 9)
    with pytest.raises(EngineUnavailable, match="busy or has a fault"):
        await generate(make_engine(comfyui_fake, backoff=Backoff(tries=3, sleep=Pauses())))
    assert comfyui_fake.calls.count(("POST", "/prompt")) == 3


async def test_unreachable_server_is_unavailable():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        engine = ComfyUI(f"http://127.0.0.1:{taken.getsockname()[1]}", backoff=Backoff(sleep=Pauses()))
        with pytest.raises(EngineUnavailable, match="could not be reached"):
            await generate(engine)


async def test_restarted_server_is_unavailable(comfyui_fake: ComfyUIFake):
    comfyui_fake.step_seconds = 0.05
    task = asyncio.create_task(generate(make_engine(comfyui_fake)))
    await wait_until(lambda: comfyui_fake.running)
    comfyui_fake.restart()
    with pytest.raises(EngineUnavailable, match="no longer knows"):
        await task


async def test_interrupted_run_is_unavailable(comfyui_fake: ComfyUIFake):
    comfyui_fake.step_seconds = 0.05
    task = asyncio.create_task(generate(make_engine(comfyui_fake)))
    await wait_until(lambda: comfyui_fake.running)
    comfyui_fake.stop_running()
    with pytest.raises(EngineUnavailable, match="interrupted"):
        await task


# Refusals, in plain words


async def test_missing_checkpoint_is_named(comfyui_fake: ComfyUIFake):
    with pytest.raises(EngineRefused, match=r"does not have the model gone\.safetensors"):
        await generate(make_engine(comfyui_fake, checkpoint="gone.safetensors"))


async def test_server_without_checkpoints_is_refused(comfyui_fake: ComfyUIFake):
    comfyui_fake.checkpoints = []
    with pytest.raises(EngineRefused, match="no model installed"):
        await generate(make_engine(comfyui_fake))


def node_problem(node: str, kind: str, **extra: str) -> dict[str, Any]:
    """A refusal because of one node, as ComfyUI words it."""
    problem = {"type": kind, "message": "m", "details": "d", "extra_info": extra}
    about = {"class_type": node, "errors": [problem], "dependent_outputs": ["6"]}
    failed = {"type": "prompt_outputs_failed_validation", "message": "Prompt outputs failed validation"}
    return {"error": {**failed, "details": "", "extra_info": {}}, "node_errors": {"4": about}}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            {"error": {"type": "missing_node_type", "message": "Node 'X' not found."}, "node_errors": {}},
            "lacks a building block.*Node 'X' not found",
        ),
        (
            {"error": {"type": "invalid_prompt", "message": "node X does not exist."}, "node_errors": []},
            "lacks a building block",
        ),
        ({"error": "no prompt", "node_errors": []}, "did not accept the workflow: no prompt"),
        ({"error": {"type": "prompt_no_outputs", "message": "m"}, "node_errors": {}}, "saves no picture"),
        (node_problem("LoadImage", "custom_validation_failed"), "could not read one of the photographs"),
        (node_problem("KSampler", "value_bigger_than_max", input_name="steps"), "for steps of KSampler"),
        (node_problem("VAEDecode", "required_input_missing"), "did not accept the step VAEDecode: m"),
        ("no JSON object", r"did not accept the request \(400\)"),
    ],
)
async def test_refused_workflow_has_a_message(comfyui_fake: ComfyUIFake, body: Any, words: str):
    comfyui_fake.next("/prompt", Reply(status=400, body=json.dumps(body).encode()))
    with pytest.raises(EngineRefused, match=words):
        await generate(make_engine(comfyui_fake))
    assert comfyui_fake.calls.count(("POST", "/prompt")) == 1


@pytest.mark.parametrize("drop", [None, 1])
@pytest.mark.parametrize(
    ("kind", "words"),
    [("RuntimeError", "the step VAEDecode failed"), ("torch.OutOfMemoryError", "ran out of graphics memory")],
)
async def test_failed_run_names_the_step(comfyui_fake: ComfyUIFake, kind: str, words: str, drop: int | None):
    comfyui_fake.fail_at = ("VAEDecode", kind)
    comfyui_fake.drop_socket_at = drop
    with pytest.raises(EngineRefused, match=words):
        await generate(make_engine(comfyui_fake))


@pytest.mark.parametrize(
    ("status", "words"), [(401, "let this site in"), (413, "larger than"), (302, "points to another address")]
)
async def test_refused_upload_has_a_message(comfyui_fake: ComfyUIFake, status: int, words: str):
    comfyui_fake.next("/upload", Reply(status=status, body=b"", headers={"Location": "http://127.0.0.1:9/"}))
    request = make_request(style="comfyui_reimagine", products=[photograph()])
    with pytest.raises(EngineRefused, match=words):
        await generate(make_engine(comfyui_fake), request)


# Answers that cannot be used


@pytest.mark.parametrize(
    ("body", "words"),
    [(b"<html>not a picture</html>", "not a picture"), (bytes(200_000), "more than 0.0")],
)
async def test_result_that_is_no_image_is_refused(comfyui_fake: ComfyUIFake, body: bytes, words: str):
    comfyui_fake.next("/view", Reply(body=body))
    with pytest.raises(EngineRefused, match=words):
        await generate(make_engine(comfyui_fake, largest_answer=100_000), make_request(shape="square", side="512"))


async def test_missing_result_has_a_message(comfyui_fake: ComfyUIFake):
    comfyui_fake.next("/view", Reply(status=404, body=b""))
    with pytest.raises(EngineRefused, match="does not hand it out"):
        await generate(make_engine(comfyui_fake))


async def test_run_without_output_has_a_message(comfyui_fake: ComfyUIFake):
    comfyui_fake.saves_nothing = True
    with pytest.raises(EngineRefused, match="without saving a picture"):
        await generate(make_engine(comfyui_fake))


@pytest.mark.parametrize("path", ["/object_info", "/prompt", "/queue", "/history"])
async def test_malformed_response_is_unavailable(comfyui_fake: ComfyUIFake, path: str):
    comfyui_fake.next(path, Reply(body=b'{"queue_running": 7, "'))
    with pytest.raises(EngineUnavailable, match="could not be read"):
        await generate(make_engine(comfyui_fake))


# Cancelling


async def test_cancelling_removes_a_queued_job(comfyui_fake: ComfyUIFake):
    comfyui_fake.crowd(2)
    steps = RecordedProgress()
    task = asyncio.create_task(make_engine(comfyui_fake).generate(make_request(), steps))
    await wait_until(lambda: "behind 2 others" in steps.words)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert comfyui_fake.deleted == [comfyui_fake.prompts[0]["prompt_id"]]
    assert comfyui_fake.interrupted == []  # what runs is someone else's


@pytest.mark.parametrize("old", [False, True])
async def test_cancelling_interrupts_a_running_job(comfyui_fake: ComfyUIFake, old_comfyui_fake: ComfyUIFake, old: bool):
    fake = old_comfyui_fake if old else comfyui_fake
    fake.step_seconds = 0.05
    task = asyncio.create_task(generate(make_engine(fake), make_request(steps=60)))
    await wait_until(lambda: fake.running)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(fake.interrupted) == 1
    await wait_until(lambda: not fake.running)


async def test_run_beyond_the_timeout_is_stopped(comfyui_fake: ComfyUIFake):
    comfyui_fake.step_seconds = 0.05
    with pytest.raises(EngineUnavailable, match=r"within 0\.4 seconds"):
        await generate(make_engine(comfyui_fake, whole_timeout=0.4), make_request(steps=60))
    assert len(comfyui_fake.interrupted) == 1


async def test_stopping_at_an_unreachable_server_does_not_hang(comfyui_fake: ComfyUIFake):
    comfyui_fake.step_seconds = 0.05
    task = asyncio.create_task(generate(make_engine(comfyui_fake), make_request(steps=60)))
    await wait_until(lambda: comfyui_fake.running)
    comfyui_fake.next("/queue", *[broken()] * 20)
    with capture_logs() as logs:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert "comfyui_not_stopped" in [log["event"] for log in logs]
