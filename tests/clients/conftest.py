"""Fakes for the tests of the remote engines: one server per module, reset for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes import loopback_only
from tests.fakes.comfyui import ComfyUIFake
from tests.fakes.openai_images import OpenAIImagesFake


@pytest.fixture(scope="module")
def openai_server() -> Iterator[OpenAIImagesFake]:
    with loopback_only(), OpenAIImagesFake() as fake:
        yield fake


@pytest.fixture
def openai_fake(openai_server: OpenAIImagesFake) -> OpenAIImagesFake:
    openai_server.reset()
    return openai_server


@pytest.fixture(scope="module")
def comfyui_server() -> Iterator[ComfyUIFake]:
    with loopback_only(), ComfyUIFake() as fake:
        yield fake


@pytest.fixture
def comfyui_fake(comfyui_server: ComfyUIFake) -> ComfyUIFake:
    comfyui_server.reset()
    return comfyui_server


@pytest.fixture(scope="module")
def old_comfyui_server() -> Iterator[ComfyUIFake]:
    with loopback_only(), ComfyUIFake(old=True) as fake:
        yield fake


@pytest.fixture
def old_comfyui_fake(old_comfyui_server: ComfyUIFake) -> ComfyUIFake:
    old_comfyui_server.reset()
    return old_comfyui_server
