"""The built-in engine as studio uses it: in an isolated child, with bounded memory, messages and cancellation."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import pyvips

from tests.clients.builtin.helpers import photo
from vetrina.clients.engines.base import Engine, EngineRefused, EngineRequest, EngineResult, EngineUnavailable
from vetrina.clients.engines.builtin.engine import BuiltinEngine
from vetrina.core.isolation.run import Limits
from vetrina.demo.photos import PHOTOS, path_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs fork and getrusage as on Linux")
ROOT = Path(__file__).parents[3]


def ask(style: str, **changes: Any) -> EngineRequest:
    fields: dict[str, Any] = {
        "style": style, "prompt": "", "parameters": {"size": 480}, "seed": 5, "products": [], "models": [],
    }  # fmt: skip
    return EngineRequest(**(fields | changes))


def generate(request: EngineRequest, **options: Any) -> tuple[EngineResult, list[tuple[float, str]]]:
    steps: list[tuple[float, str]] = []

    async def progress(fraction: float, step: str) -> None:
        steps.append((fraction, step))

    engine: Engine = BuiltinEngine(**options)
    return asyncio.run(engine.generate(request, progress)), steps


def test_generate_runs_in_the_child_and_reports_progress():
    request = ask("low_poly", models=[photo("dogs")])
    result, steps = generate(request)
    image = pyvips.Image.new_from_buffer(result.images[0], "")
    assert result.mime == "image/jpeg" and (image.width, image.height) == (384, 480)
    assert result.notes == {"seed": 5, "sizes": [[384, 480]], "cutouts": []}
    assert [fraction for fraction, _ in steps] == sorted(fraction for fraction, _ in steps)
    assert steps[-1] == (1.0, "Done") and len(steps) > 5
    assert generate(request)[0].images == result.images


def test_each_photograph_gives_a_picture():
    result, steps = generate(ask("cyanotype", products=[photo("coffee"), photo("fig_bowl")]))
    assert len(result.images) == 2 and steps[-1][0] == 1.0
    result, _ = generate(ask("studio_composite", products=[photo("coffee")], models=[photo("cat"), photo("dogs")]))
    assert len(result.images) == 2 and result.notes["cutouts"] == ["network", "network"]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (ask("impressionism"), "no such style"),
        (ask("oil", parameters={"brush": 99}, models=[photo("cat")]), "Brush size must be between"),
        (ask("oil"), "needs a photograph"),
        (ask("studio_sweep", models=[photo("cat")]), "needs a photograph of a product"),
        (ask("studio_composite", products=[photo("coffee")]), "needs a photograph of a model or a scene"),
        (ask("oil", models=[b"not a picture"]), "cannot be read"),
        (ask("oil", models=[path_of("cat").read_bytes()[:9000]]), "cannot be read"),
        (ask("oil", models=[photo("cat")] * 5), "At most 4"),
    ],
)
def test_impossible_requests_are_refused_with_a_message(request_: EngineRequest, words: str):
    with pytest.raises(EngineRefused) as refused:
        generate(request_)
    assert words in refused.value.message and refused.value.message.endswith(".")


def test_timeout_is_unavailable():
    with pytest.raises(EngineUnavailable, match="too long"):
        generate(ask("oil", models=[photo("dogs", 900)], parameters={"size": 1600}), seconds=0.3)


def test_out_of_memory_is_refused_with_advice(monkeypatch: pytest.MonkeyPatch):
    def little(self: BuiltinEngine, size: int) -> Limits:
        return Limits(memory_mb=180)

    monkeypatch.setattr(BuiltinEngine, "limits", little)
    with pytest.raises(EngineRefused, match="smaller size"):
        generate(ask("oil", models=[photo("dogs", 900)], parameters={"size": 1600}))


def test_cancelling_stops_the_child():
    started = asyncio.Event()

    async def progress(fraction: float, step: str) -> None:
        if fraction > 0:
            started.set()

    async def story() -> float:
        request = ask("gouache", models=[photo("dogs", 900)], parameters={"size": 2400})
        task = asyncio.create_task(BuiltinEngine().generate(request, progress))
        await asyncio.wait_for(started.wait(), 20)
        authorization = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - authorization

    assert asyncio.run(story()) < 1.0


def test_twelve_megapixels_need_less_than_a_gigabyte():
    """The hungriest style; `bench/engine.py` measures all."""
    ran = subprocess.run(
        [sys.executable, str(ROOT / "bench" / "engine.py"), "--once", "watercolour"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ran.stdout)["peak"] < 800


def test_twelve_megapixel_photograph_renders_in_the_child():
    data = path_of("dandelion").read_bytes()
    head = pyvips.Image.new_from_buffer(data, "")
    assert head.width * head.height == 12_000_000
    result, _ = generate(ask("watercolour", models=[data], parameters={}))
    assert result.notes["sizes"] == [[1600, 1200]]


def test_demo_photographs_are_small_and_attributed():
    total = 0
    for item in PHOTOS:
        data = item.path.read_bytes()
        image = pyvips.Image.new_from_buffer(data, "", fail_on="truncated")
        image.avg()
        total += len(data)
        listed = (item.path.parent / "ATTRIBUTION.md").read_text("utf-8")
        row = next(line for line in listed.splitlines() if line.startswith(f"| `{item.path.name}`"))
        assert item.author in row and item.licence in row
        assert item.licence in ("CC0 1.0", "CC BY 4.0", "CC BY-SA 4.0", "public domain")
        if item.name == "dandelion":
            assert (image.width, image.height) == (4000, 3000) and len(data) < 2_500_000
        else:
            assert max(image.width, image.height) <= 1600 and len(data) < 350_000
    assert len(PHOTOS) == len({item.name for item in PHOTOS}) >= 10 and total < 7_000_000
    roles = [item.role_hint for item in PHOTOS]
    assert roles.count("product") >= 3 and roles.count("model") >= 2
    with pytest.raises(KeyError):
        path_of("nobody")
