"""Pictures from a ComfyUI server: upload, submit a workflow, follow it, fetch what it saved.

The committed workflows use only nodes that every ComfyUI has; an operator's own may replace any
of them (see `comfyui_workflow` for how places are marked).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2

from vetrina.clients.engines.base import (
    EngineRefused,
    EngineRequest,
    EngineResult,
    EngineUnavailable,
    Progress,
)
from vetrina.clients.engines.comfyui.progress import Watch, line
from vetrina.clients.engines.comfyui.server import WHOSE, History, Job, Server
from vetrina.clients.engines.comfyui.styles import BY_NAME, STYLES, Look, values_for
from vetrina.clients.engines.comfyui.workflow import Node, Workflow
from vetrina.clients.engines.http import MEGABYTE, Steady, checked, client, given
from vetrina.clients.engines.retry import Backoff

__all__ = ["STYLES", "WORKFLOWS", "ComfyUI"]

WORKFLOWS = ("text_to_image", "image_to_image", "product_on_model")
_FOLDER = Path(__file__).with_name("workflows")
_MOST = 8  # pictures taken from one run


class ComfyUI:
    """An engine behind `base_url` (such as `http://host:8188`).

    `checkpoint` None takes the server's first model. `workflows` maps names in `WORKFLOWS` to an
    operator's own files. `api_key` goes as a bearer token, for servers behind a proxy that wants
    one. `whole_timeout` and `poll` are seconds. Raises ValueError for an address or a workflow that
    cannot work.
    """

    name = "comfyui"

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        checkpoint: str | None = None,
        workflows: Mapping[str, Path] | None = None,
        connect_timeout: float = 10.0,
        whole_timeout: float = 900.0,
        largest_answer: int = 64 * MEGABYTE,
        poll: float = 2.0,
        backoff: Backoff | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the address of the ComfyUI server must begin with http:// or https://")
        own = dict(workflows or {})
        if unknown := sorted(set(own) - set(WORKFLOWS)):
            raise ValueError(f"no such workflow: {', '.join(unknown)}; there are {', '.join(WORKFLOWS)}")
        self._base_url = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._checkpoint = checkpoint
        self._workflows = {name: Workflow.read(own.get(name, _FOLDER / f"{name}.json")) for name in WORKFLOWS}
        self._connect = connect_timeout
        self._whole = whole_timeout
        self._largest = largest_answer
        self._poll = poll
        self._backoff = backoff or Backoff()

    async def generate(self, request: EngineRequest, progress: Progress) -> EngineResult:
        """Run the style's workflow. Raises EngineRefused or EngineUnavailable, both in plain words.

        When cancelled, the job is taken out of the server's queue, or interrupted.
        """
        told = Steady(progress)
        style, workflow = self._chosen(request)
        pictures = workflow.pictures(style.style.title, request)
        headers = given(pictures)
        values = values_for(style, request, headers)
        timeout = httpx2.Timeout(60.0, connect=self._connect)
        try:
            async with (
                asyncio.timeout(self._whole),
                client(
                    whose=WHOSE,
                    limit=self._largest,
                    timeout=timeout,
                    headers=self._headers,
                    base_url=self._base_url,
                ) as http,
            ):
                server = Server(http, self._backoff)
                job = Job(str(uuid4()), uuid4().hex)
                values["prefix"] = f"vetrina_{job.id[:8]}"
                values["checkpoint"] = await self._model(server, workflow)
                for place, data in pictures.items():
                    await told(0.02, "Sending the photographs")
                    values[place] = await server.upload(data, headers[place])
                nodes = workflow.filled(values)
                finished = await self._run(server, job, nodes, told)
                await told(0.92, "Fetching the picture")
                images = [await server.fetch(output) for output in finished.pictures()[:_MOST]]
        except TimeoutError as error:
            raise EngineUnavailable(f"{WHOSE} did not finish within {self._whole:g} seconds.") from error
        if not images:
            raise EngineRefused(
                "The ComfyUI server finished without saving a picture. Please tell the operator."
            )
        seen = [checked(image, WHOSE) for image in images]
        images = [image for image, picture in zip(images, seen, strict=True) if picture.mime == seen[0].mime]
        await told(1.0, "Done")
        return EngineResult(
            images=images, mime=seen[0].mime, notes=self._notes(request, style, values, finished)
        )

    def _chosen(self, request: EngineRequest) -> tuple[Look, Workflow]:
        style = BY_NAME.get(request.style)
        if style is None:
            raise EngineRefused(f"This engine has no style called {request.style!r}.")
        if not request.prompt.strip() and style.workflow == "text_to_image":
            raise EngineRefused("Say in a few words what the picture should show.")
        return style, self._workflows[style.workflow]

    async def _model(self, server: Server, workflow: Workflow) -> str:
        if "checkpoint" not in workflow.places:
            return ""
        return self._checkpoint or await server.checkpoint()

    async def _run(self, server: Server, job: Job, nodes: dict[str, Node], told: Steady) -> History:
        """Submit and follow; whatever ends our interest in the run early ends the run as well."""
        try:
            # The socket first, so that no message of a quick run is missed.
            async with line(self._base_url, job, self._headers, self._connect) as socket:
                await told(0.05, "Submitting the workflow")
                job = await server.submit(job, nodes)
                watch = Watch(server, job, nodes, told, poll=self._poll, sleep=self._backoff.sleep)
                return await watch.until_done(socket)
        except (asyncio.CancelledError, EngineUnavailable):
            await asyncio.shield(asyncio.create_task(server.stop(job)))
            raise

    def _notes(
        self, request: EngineRequest, style: Look, values: dict[str, Any], finished: History
    ) -> dict[str, Any]:
        return {
            "engine": self.name,
            "host": urlsplit(self._base_url).hostname,
            "workflow": style.workflow,
            "checkpoint": values["checkpoint"],
            "size": f"{values['width']}x{values['height']}",
            "seed": values["seed"],
            "seed_used": True,
            "files": [output.filename for output in finished.pictures()],
        }
