"""Pictures from a ComfyUI server: upload, submit a workflow, follow the run, fetch what it saved.

The included workflows use only nodes that every ComfyUI has; an operator's own may replace any
of them (`workflow.py` says how places are marked).
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
from vetrina.clients.engines.comfyui.progress import RunFollower, open_socket
from vetrina.clients.engines.comfyui.server import SERVICE, History, Job, Server
from vetrina.clients.engines.comfyui.styles import BY_NAME, STYLES, StyleDefinition, values_for
from vetrina.clients.engines.comfyui.workflow import Node, Workflow
from vetrina.clients.engines.http import MEGABYTE, MonotonicProgress, client, read_headers, require_image
from vetrina.clients.engines.retry import Backoff

__all__ = ["STYLES", "WORKFLOWS", "ComfyUI"]

WORKFLOWS = ("text_to_image", "image_to_image", "product_on_model")
_FOLDER = Path(__file__).with_name("workflows")
_MAX_IMAGES = 8  # pictures taken from one run


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
        """Run the style's workflow. Raises EngineRefused or EngineUnavailable, both with words for the user.

        When cancelled, the job is taken out of the server's queue, or interrupted.
        """
        report = MonotonicProgress(progress)
        definition, workflow = self._resolve(request)
        pictures = workflow.pictures(definition.style.title, request)
        headers = read_headers(pictures)
        values = values_for(definition, request, headers)
        timeout = httpx2.Timeout(60.0, connect=self._connect)
        try:
            async with (
                asyncio.timeout(self._whole),
                client(
                    service=SERVICE,
                    limit=self._largest,
                    timeout=timeout,
                    headers=self._headers,
                    base_url=self._base_url,
                ) as http,
            ):
                server = Server(http, self._backoff)
                job = Job(str(uuid4()), uuid4().hex)
                values["prefix"] = f"vetrina_{job.id[:8]}"
                values["checkpoint"] = await self._choose_checkpoint(server, workflow)
                for place, data in pictures.items():
                    await report(0.02, "Sending the photographs")
                    values[place] = await server.upload(data, headers[place])
                nodes = workflow.fill(values)
                run = await self._run(server, job, nodes, report)
                await report(0.92, "Fetching the picture")
                images = [await server.fetch(output) for output in run.pictures()[:_MAX_IMAGES]]
        except TimeoutError as error:
            raise EngineUnavailable(f"{SERVICE} did not finish within {self._whole:g} seconds.") from error
        if not images:
            raise EngineRefused("The ComfyUI server finished without saving a picture. Please tell the operator.")
        saved_headers = [require_image(image, SERVICE) for image in images]
        mime = saved_headers[0].mime
        images = [image for image, header in zip(images, saved_headers, strict=True) if header.mime == mime]
        await report(1.0, "Done")
        return EngineResult(images=images, mime=mime, notes=self._notes(request, definition, values, run))

    def _resolve(self, request: EngineRequest) -> tuple[StyleDefinition, Workflow]:
        definition = BY_NAME.get(request.style)
        if definition is None:
            raise EngineRefused(f"This engine has no style called {request.style!r}.")
        if not request.prompt.strip() and definition.workflow == "text_to_image":
            raise EngineRefused("Say in a few words what the picture should show.")
        return definition, self._workflows[definition.workflow]

    async def _choose_checkpoint(self, server: Server, workflow: Workflow) -> str:
        if "checkpoint" not in workflow.places:
            return ""
        return self._checkpoint or await server.checkpoint()

    async def _run(self, server: Server, job: Job, nodes: dict[str, Node], report: MonotonicProgress) -> History:
        """Submit the workflow and follow it; when the wait ends early the run is stopped as well."""
        try:
            # The socket first, so that no message of a quick run is missed.
            async with open_socket(self._base_url, job, self._headers, self._connect) as socket:
                await report(0.05, "Submitting the workflow")
                job = await server.submit(job, nodes)
                follower = RunFollower(server, job, nodes, report, poll=self._poll, sleep=self._backoff.sleep)
                return await follower.wait(socket)
        except (asyncio.CancelledError, EngineUnavailable):
            await asyncio.shield(asyncio.create_task(server.stop(job)))
            raise

    def _notes(self, request: EngineRequest, definition: StyleDefinition, values: dict[str, Any], run: History) -> dict[str, Any]:
        return {
            "engine": self.name,
            "host": urlsplit(self._base_url).hostname,
            "workflow": definition.workflow,
            "checkpoint": values["checkpoint"],
            "size": f"{values['width']}x{values['height']}",
            "seed": values["seed"],
            "seed_used": True,
            "files": [output.filename for output in run.pictures()],
        }
