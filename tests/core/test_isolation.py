"""Isolated children: results, failures, restrictions, and that none outlives its caller."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop

from vetrina.core.isolation.parent import MAX_IDLE_CHILDREN
from vetrina.core.isolation.run import (
    IsolatedCrashed,
    IsolatedFailure,
    IsolatedOutOfMemory,
    IsolatedRejected,
    IsolatedTimeout,
    Limits,
    run_isolated,
)

TARGETS = "tests.core.isolation_targets"
Run = Callable[[Coroutine[Any, Any, Any]], Any]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
linux = pytest.mark.skipif(sys.platform != "linux", reason="restrictions of Linux")


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    return request.param


async def call(name: str, payload: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    return await run_isolated(f"{TARGETS}:{name}", payload or {}, **options)


async def start_call(name: str, payload: dict[str, Any] | None = None, **options: Any) -> tuple[asyncio.Task[Any], int]:
    """Start a call; return its task and its child's pid (which `sleep` reports as its first step)."""
    pid: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def report(fraction: float, step: str) -> None:
        pid.set_result(int(step))

    task = asyncio.create_task(call(name, payload, report=report, **options))
    return task, await asyncio.wait_for(pid, 10)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def children(pid: int) -> list[int]:
    """Return the content of /proc; nothing on other systems than Linux."""
    result: list[int] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                result.append(int(stat.parent.name))
    return result


def gone(pid: int, seconds: float = 3) -> bool:
    """Return whether an orphan ends; its new parent may be slow to reap it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            zombie = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:  # no such process, or no /proc
            zombie = False
        if zombie or not is_alive(pid):
            return True
        time.sleep(0.02)
    return False


def test_msgpack_values_round_trip(run: Run):
    payload = {"data": os.urandom(3_000_000), "none": None, "list": [1, 2.5, "ä", {"deep": b"\x00"}]}
    assert run(call("echo", payload)) == payload


def test_reports_arrive_in_order_and_within_bounds(run: Run):
    seen: list[tuple[float, str]] = []

    async def report(fraction: float, step: str) -> None:
        await asyncio.sleep(0.01)
        seen.append((fraction, step))

    run(call("steps", report=report))
    assert seen == [(0.0, "Begin"), (0.5, "Middle"), (1.0, "x" * 200)]


def test_rejection_keeps_code_and_message(run: Run):
    with pytest.raises(IsolatedRejected) as refused:
        run(call("refuse"))
    assert (refused.value.code, refused.value.message) == ("not_today", "This is not taken today.")


def test_exception_of_the_target_has_its_traceback(run: Run):
    with pytest.raises(IsolatedCrashed) as crashed:
        run(call("fail", {"zero": 0}))
    assert "ZeroDivisionError" in crashed.value.detail
    assert crashed.value.signal is None


@pytest.mark.parametrize("target", ["no.such.module:name", f"{TARGETS}:no_such_function", "nonsense"])
def test_missing_target_is_named(target: str):
    with pytest.raises(IsolatedCrashed, match=r"no\.such|no_such_function|nonsense"):
        asyncio.run(run_isolated(target, {"data": bytes(1_000_000)}))


def test_timeout_kills_the_child(run: Run):
    async def scene() -> None:
        task, pid = await start_call("hang_deaf", limits=Limits(seconds=0.3))
        with pytest.raises(IsolatedTimeout, match=r"0\.3 s"):
            await task
        assert not is_alive(pid)

    run(scene())


def test_processor_time_limit_is_a_timeout():
    with pytest.raises(IsolatedTimeout, match="SIGXCPU"):
        asyncio.run(call("spin", limits=Limits(processor_seconds=1)))


def test_child_ends_itself_if_the_caller_is_blocked():
    async def scene() -> int:
        task, pid = await start_call("sleep", limits=Limits(seconds=0.3))
        time.sleep(1.6)  # noqa: ASYNC251 (the loop stands still, that is the point)
        ended = not is_alive(pid)
        with pytest.raises(IsolatedTimeout):
            await task
        return ended

    assert asyncio.run(scene())


@linux
def test_memory_limit_is_enforced(run: Run):
    with pytest.raises(IsolatedOutOfMemory):
        run(call("take", {"mib": 300}, limits=Limits(memory_mb=256)))
    assert run(call("take", {"mib": 200}, limits=Limits(memory_mb=256))) == {"taken": 200 << 20}


def test_abort_by_a_library_is_out_of_memory(run: Run):
    with pytest.raises(IsolatedOutOfMemory, match="failed to allocate"):
        run(call("take_in_c"))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT, signal.SIGTERM])
def test_signal_is_reported(run: Run, number: signal.Signals):
    with pytest.raises(IsolatedCrashed, match="last words") as crashed:
        run(call("end_by_signal", {"signal": int(number)}))
    assert crashed.value.signal == number


def test_segmentation_fault_leaves_other_calls_alone(run: Run):
    async def scene() -> None:
        beside = asyncio.create_task(call("sleep", {"seconds": 0.2}))
        with pytest.raises(IsolatedCrashed) as crashed:
            await call("read_nothing_mapped")
        assert crashed.value.signal == signal.SIGSEGV
        assert await beside == {}
        assert await call("echo", {"still": "here"}) == {"still": "here"}

    run(scene())


def test_exit_code_is_reported():
    with pytest.raises(IsolatedCrashed) as crashed:
        asyncio.run(call("end_by_exit", {"code": 3}))
    assert (crashed.value.exit_code, crashed.value.signal) == (3, None)


def test_cancelling_kills_and_reaps(run: Run):
    async def scene() -> None:
        task, pid = await start_call("hang_deaf")
        assert is_alive(pid)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not is_alive(pid)

    run(scene())


def test_cancelling_at_any_moment_leaves_no_process(run: Run):
    async def scene() -> None:
        zygote = (await call("who"))["zygote"]
        await asyncio.sleep(0.2)
        before = children(zygote)
        for number in range(20):
            task = asyncio.create_task(call("sleep", {"data": bytes(500_000)}))
            await asyncio.sleep(number * 0.0005)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert (await call("who"))["zygote"] == zygote
        await asyncio.sleep(0.2)
        assert len(children(zygote)) <= len(before)  # what is left waits for the next call

    run(scene())


def test_failing_report_callback_ends_the_call(run: Run):
    pids: list[int] = []

    async def report(fraction: float, step: str) -> None:
        pids.append(int(step))
        raise TimeoutError("the database is slow")

    with pytest.raises(TimeoutError, match="the database is slow"):
        run(call("sleep", report=report))
    assert not is_alive(pids[0])


def test_many_concurrent_calls(run: Run):
    async def scene() -> None:
        all_run = asyncio.Barrier(20)

        async def report(fraction: float, step: str) -> None:
            await all_run.wait()  # passes when all twenty children have begun: one after the other, none would

        async with asyncio.timeout(60):
            await asyncio.gather(*(call("sleep", {"seconds": 0.3}, report=report) for _ in range(20)))
        assert all_run.n_waiting == 0

    run(scene())


def test_next_call_survives_a_dead_zygote(run: Run):
    async def scene() -> None:
        for _ in range(5):
            zygote = (await call("who"))["zygote"]
            os.kill(zygote, signal.SIGKILL)
            await asyncio.sleep(0.05)  # a call that a child had already taken would fail with it, and say so
            assert await call("echo", {"at": "once"}) == {"at": "once"}
            assert (await call("who"))["zygote"] != zygote

    run(scene())


def test_idle_child_is_warmed_for_the_next_call(run: Run):
    async def scene() -> None:
        os.kill((await call("who"))["zygote"], signal.SIGKILL)
        await asyncio.sleep(0.1)
        assert (await call("what_was_done"))["done"] == ["warm"]
        await asyncio.sleep(0.3)
        assert (await call("what_was_done"))["done"] == ["warm", "rehearsed"]

    run(scene())


def test_dead_idle_child_is_replaced(run: Run):
    async def scene() -> None:
        zygote = (await call("who"))["zygote"]
        for _ in range(3):
            await asyncio.sleep(0.05)
            for waiting in children(zygote):
                os.kill(waiting, signal.SIGKILL)
            assert (await call("who"))["zygote"] == zygote

    run(scene())


def test_idle_children_are_bounded(run: Run):
    async def scene() -> None:
        zygote = (await call("who"))["zygote"]
        for number in range(2 * MAX_IDLE_CHILDREN):
            await call("echo", limits=Limits(memory_mb=100 + number))
        await asyncio.sleep(0.2)
        assert len(children(zygote)) <= MAX_IDLE_CHILDREN

    run(scene())


def test_call_fails_when_its_zygote_dies(run: Run):
    async def scene() -> None:
        zygote = (await call("who"))["zygote"]
        task, pid = await start_call("sleep")
        os.kill(zygote, signal.SIGKILL)
        with pytest.raises(IsolatedCrashed, match="warm process"):
            await task
        if sys.platform == "linux":
            assert gone(pid)
        assert await call("echo", {"again": 1}) == {"again": 1}

    run(scene())


def test_no_process_outlives_a_killed_parent():
    script = (
        "import asyncio, os\n"
        "from vetrina.core.isolation.run import run_isolated\n"
        "async def tell(fraction, step): print(step, flush=True)\n"
        "async def main():\n"
        f"    print((await run_isolated('{TARGETS}:who', {{}}))['zygote'], flush=True)\n"
        f"    await run_isolated('{TARGETS}:sleep', {{}}, report=tell)\n"
        "asyncio.run(main())\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        zygote, child = int(parent.stdout.readline()), int(parent.stdout.readline())
        assert is_alive(zygote)
        assert is_alive(child)
        parent.kill()
    assert gone(child)
    assert gone(zygote)


@pytest.mark.parametrize(
    "said",
    [
        {"raw": b"R" + (1 << 60).to_bytes(8, "big")},
        {"raw": b"P" + (1 << 30).to_bytes(8, "big")},
        {"kind": b"R", "body": b"\xc1 not msgpack"},
        {"kind": b"R", "body": b"\x93\x01\x02\x03"},
        {"kind": b"X", "body": b"\x01"},
        {"kind": b"P", "body": b"\xa3abc"},
        {"kind": b"?", "body": b""},
    ],
)
def test_malformed_messages_of_a_child_are_rejected(said: dict[str, Any]):
    async def report(fraction: float, step: str) -> None: ...

    begin = time.monotonic()
    with pytest.raises(IsolatedCrashed):
        asyncio.run(call("lie", said, limits=Limits(memory_mb=256), report=report))
    assert time.monotonic() - begin < 25  # and not by the call's time limit, which is 30 s


@linux
def test_restrictions_deny_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STRIPE_API_KEY", "sk_secret")
    tmp_path.chmod(0o777)
    pid = tmp_path / "known"
    pid.write_text("for everyone")

    async def scene(port: int) -> dict[str, Any]:
        zygote = (await call("who"))["zygote"]
        os.kill(zygote, signal.SIGKILL)  # so that the new one is started with the secret in our environment
        task, sibling = await start_call("sleep")
        payload = {
            "file": str(pid),
            "folder": str(tmp_path),
            "port": port,
            "server": os.getpid(),
            "sibling": sibling,
        }
        result = await call("try_everything", payload)
        task.cancel()
        return result

    with socket.create_server(("127.0.0.1", 0)) as server:
        completed = asyncio.run(scene(server.getsockname()[1]))
    # only who may change namespaces can take away the whole network; Landlock refuses TCP to all others
    allowed = set[str]() if completed["uid"] not in (0, os.geteuid()) else {"send a datagram", "become root"}
    assert set(completed["done"]) <= allowed
    assert completed["open"] == [0, 1, 2, 3]
    assert "STRIPE_API_KEY" not in completed["variables"]


@linux
def test_zygote_has_one_thread_with_every_library_loaded():
    async def scene() -> int:
        with pytest.raises(IsolatedRejected):
            await run_isolated("vetrina.media.processing.images:intake", {"data": b""})
        return (await call("who"))["zygote"]

    zygote = asyncio.run(scene())
    assert len(os.listdir(f"/proc/{zygote}/task")) == 1


@linux
def test_no_file_descriptor_leaks(run: Run):
    async def scene() -> None:
        await call("echo")
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(5):
            await call("echo", {"data": bytes(100_000)})
            for name in ("refuse", "fail", "take_in_c", "end_by_exit"):
                with pytest.raises(IsolatedFailure):
                    await call(name, {"zero": 0, "code": 1})
            with pytest.raises(IsolatedTimeout):
                await call("sleep", limits=Limits(seconds=0.02))
        # A leak of any of these calls would be five; the worker's other threads open a few connections meanwhile.
        assert len(os.listdir("/proc/self/fd")) - before < 5

    run(scene())
