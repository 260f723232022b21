"""The catalogue of styles: those of the engines that are set up, with their prices."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec
import structlog
from psycopg.types.json import Jsonb

from vetrina.clients.engines.base import Engine, Parameter, Style
from vetrina.clients.engines.builtin import catalogue as catalogue_of_builtin
from vetrina.clients.engines.builtin.engine import BuiltinEngine
from vetrina.clients.engines.comfyui import engine as comfyui
from vetrina.clients.engines.cutting import catalogue as catalogue_of_cutting
from vetrina.clients.engines.cutting import engine as cutting
from vetrina.clients.engines.networks import models
from vetrina.clients.engines.neural import catalogue as catalogue_of_neural
from vetrina.clients.engines.neural import engine as neural
from vetrina.core.database.connection import Tx
from vetrina.core.services import Services
from vetrina.core.settings.environment import Settings
from vetrina.studio import queries
from vetrina.studio.styles.groups import group_of
from vetrina.web import static
from vetrina.web.i18n import N_

log = structlog.get_logger("vetrina.studio")


@dataclass(frozen=True)
class OfferedEngine:
    """An engine as this site offers it: the price of a picture in tokens, and how many it makes at once.

    `follows_prompt`: the prompt describes the picture; other engines set it as a title at most.
    """

    engine: Engine
    title: str
    styles: list[Style]
    cost: int
    gate: asyncio.Semaphore
    follows_prompt: bool = False


class StyleRow(msgspec.Struct, frozen=True):
    """A style in the API; `cost` in tokens; `hint` says which picture goes where, if not as usual.

    `follows_prompt`: the prompt describes the picture; other styles use it as a title at most.
    """

    name: str
    title: str
    description: str
    group: str
    engine: str
    follows_prompt: bool
    parameters: list[Parameter]
    needs_product: bool
    needs_model: bool
    needs_picture: bool
    hint: str
    cost: int
    preview_url: str


class Catalogue:
    """The engines that are set up, and their styles by name."""

    def __init__(self, settings: Settings) -> None:
        self.engines: dict[str, OfferedEngine] = {}
        for engine in _engines(settings):
            self.engines[engine.engine.name] = engine
        self.styles: dict[str, Style] = {style.name: style for engine in self.engines.values() for style in engine.styles}

    @classmethod
    def provide(cls, services: Services) -> Self:
        """Return the catalogue of the engines that the settings name."""
        return cls(services.settings)

    def cost(self, style: Style) -> int:
        """Return the price of one picture in tokens."""
        return self.engines[style.engine].cost

    def row(self, style: Style) -> StyleRow:
        """Return the API's representation of a style."""
        return StyleRow(
            style.name,
            style.title,
            style.description,
            group_of(style),
            style.engine,
            self.engines[style.engine].follows_prompt,
            style.parameters,
            style.needs_product,
            style.needs_model,
            style.needs_picture,
            style.hint,
            self.cost(style),
            preview_url(style.name),
        )


def preview(style: str) -> Path | None:
    """Return the file with the style's preview, or None."""
    paths = (
        catalogue_of_builtin.preview_path(style),
        catalogue_of_cutting.preview_path(style),
        catalogue_of_neural.preview_path(style),
    )
    return next((path for path in paths if path.is_file()), None)


def preview_url(style: str) -> str:
    """Return the address of the style's preview; a plain tile for engines that made none."""
    return f"/styles/{style}.webp" if preview(style) else static("img/style.svg")


async def publish(tx: Tx, settings: Settings) -> int:
    """Update `studio.styles` from the engines that are set up; return the number of styles.

    Styles of a removed engine are kept for the history, but cannot be chosen.
    """
    catalogue = Catalogue(settings)
    for position, style in enumerate(catalogue.styles.values()):
        await tx.execute(
            queries.PUBLISH_STYLE,
            name=style.name,
            title=style.title,
            description=style.description,
            engine=style.engine,
            parameters=Jsonb(msgspec.to_builtins(style.parameters)),
            needs_product=style.needs_product,
            needs_model=style.needs_model,
            needs_picture=style.needs_picture,
            cost=catalogue.cost(style),
            position=position,
        )
    await tx.execute(queries.RETIRE_STYLES, names=list(catalogue.styles))
    return len(catalogue.styles)


def _engines(settings: Settings) -> list[OfferedEngine]:
    at_once = asyncio.Semaphore(settings.builtin_concurrency)
    engines = [OfferedEngine(BuiltinEngine(), N_("Made on this server"), catalogue_of_builtin.STYLES, 1, at_once)]
    if models.problem([models.SUBJECT]) is None:
        engines.append(
            OfferedEngine(cutting.CuttingEngine(), N_("Cut out on this server"), catalogue_of_cutting.STYLES, 1, at_once)
        )
    missing = models.problem(neural.NEEDED)
    if missing is None:
        title = N_("Painted on this server by a small neural network")
        engines.append(OfferedEngine(neural.NeuralEngine(), title, catalogue_of_neural.STYLES, 1, at_once))
    else:
        log.warning("the styles painted by networks stay off", why=missing)
    if settings.openai_api_key or settings.openai_base_url:
        from vetrina.clients.engines.openai import (
            engine as openai_images,  # the SDK takes 0.7 s of processor time to import: only sites that use it pay
        )

        base_url = settings.openai_base_url or "https://api.openai.com/v1"
        try:
            engine = openai_images.OpenAIImages(base_url, settings.openai_api_key or None, settings.openai_image_model)
            title, gate = N_("Painted by an AI model"), asyncio.Semaphore(8)
            engines.append(OfferedEngine(engine, title, openai_images.STYLES, 8, gate, follows_prompt=True))
        except ValueError as wrong:
            log.warning("the OpenAI-compatible engine stays off", why=str(wrong))
    if settings.comfyui_url:
        try:
            own = {"image_to_image": Path(settings.comfyui_workflow)} if settings.comfyui_workflow else {}
            engine = comfyui.ComfyUI(settings.comfyui_url, workflows=own)
            title, gate = N_("Painted by ComfyUI"), asyncio.Semaphore(4)
            engines.append(OfferedEngine(engine, title, comfyui.STYLES, 4, gate, follows_prompt=True))
        except (ValueError, OSError) as wrong:
            log.warning("the ComfyUI engine stays off", why=str(wrong))
    return engines
