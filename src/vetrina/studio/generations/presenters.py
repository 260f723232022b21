"""Template data of generations, styles and images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from vetrina.core.services import Services
from vetrina.core.web.public.link_preview import LinkPreview, absolute
from vetrina.media.links import FileFacts, download_url, original_url, ref, thumbnail_url
from vetrina.media.share_cards import card_url
from vetrina.studio.model import ENDED, GenerationRow, PublicPicture, PublicResult
from vetrina.studio.styles.catalogue import Catalogue, StyleRow
from vetrina.studio.styles.groups import GROUPS
from vetrina.web.i18n import date, say

TILE = 320
"""Long side in pixels of the images in tiles, which are at most 192 CSS pixels wide."""
CLOSE = 0.02
"""Two images whose aspect ratios differ by less than this share are compared with a slider."""


def style_title(services: Services, name: str) -> str:
    """Return the style's title, or its name if its engine is no longer set up."""
    style = services.get(Catalogue).styles.get(name)
    return say(style.title) if style else name.replace("_", " ").capitalize()


def style_groups(services: Services) -> list[dict[str, Any]]:
    """Return the groups that have styles, each `{name, title, styles}` with the styles for their tiles."""
    catalogue = services.get(Catalogue)
    groups: dict[str, list[StyleRow]] = {name: [] for name in GROUPS}
    for style in catalogue.styles.values():
        row = catalogue.row(style)
        groups[row.group].append(row)
    return [{"name": name, "title": say(GROUPS[name]), "styles": rows} for name, rows in groups.items() if rows]


def engine_titles(services: Services) -> dict[str, str]:
    """Return the titles of the engines that are set up, by name."""
    return {name: say(engine.title) for name, engine in services.get(Catalogue).engines.items()}


def public_image(services: Services, row: PublicResult) -> dict[str, Any]:
    """Return a public image's template data."""
    facts = msgspec.convert(row.file, FileFacts)
    file = ref(services, row.account_id, facts)
    title = style_title(services, row.style_name)
    return {
        "thumb_url": file.thumbnail_url,
        "url": file.preview_url,
        "width": facts.width,
        "height": facts.height,
        "colour": facts.colour,
        "alt": say("{title} by {maker}", title=title, maker=row.maker)
        if row.maker
        else say("A picture in the style {title}", title=title),
        "href": f"/pictures/{row.account_id}/{row.generation_id}",
        "report_href": f"/report/{row.account_id}/{facts.id}",
        "title": title,
        "by": row.maker,
    }


def public_picture(services: Services, row: PublicPicture) -> dict[str, Any]:
    """Return a public image's template data for its own page."""
    item = public_image(services, row)
    sources = [ref(services, row.account_id, msgspec.convert(source, FileFacts)) for source in row.sources]
    before = _before(
        [item],
        [
            {
                "url": source.preview_url,
                "thumb_url": source.thumbnail_url,
                "width": source.width,
                "height": source.height,
                "colour": source.colour,
                "alt": say("The photograph before"),
            }
            for source in sources
        ],
    )
    return {
        **item,
        "full_url": original_url(services, row.account_id, msgspec.convert(row.file, FileFacts)),
        "maker_href": services.modules.link("profile", handle=row.handle) if row.handle else None,
        "completed_at": row.completed_at,
        "before": before,
    }


def link_preview(services: Services, row: PublicPicture) -> LinkPreview:
    """Return what a shared link to a public image shows."""
    title = style_title(services, row.style_name)
    by = say("by {name}", name=row.maker) if row.maker else ""
    return LinkPreview(
        title=f"{title} {by}".strip(),
        description=say(
            "A picture in the style {style}, made from photographs on {day}.", style=title, day=date(row.completed_at)
        ),
        url=absolute(services, f"/pictures/{row.account_id}/{row.generation_id}"),
        image=card_url(services, row.account_id, msgspec.convert(row.file, FileFacts)),
        image_alt=f"{title} {by}".strip(),
        kind="article",
        published_at=row.completed_at,
    )


def site_preview(services: Services, newest: Sequence[PublicResult]) -> LinkPreview:
    """Return what a shared link to the start page shows, with the newest public image if there is one."""
    image = next((card_url(services, row.account_id, msgspec.convert(row.file, FileFacts)) for row in newest), None)
    return LinkPreview(
        title=say("Vetrina: photographs in, pictures out"),
        description=say("Upload a product and a scene, choose a style, and watch the picture being made. On your own server."),
        url=absolute(services, "/"),
        image=image,
        image_alt=say("The newest picture of the public gallery"),
    )


def picture(services: Services, row: GenerationRow, facts: FileFacts, alt: str) -> dict[str, Any]:
    """Return an image's template data."""
    file = ref(services, row.account_id, facts)
    return {
        "id": facts.id,
        "href": f"/library/{facts.id}",
        "url": file.preview_url,
        "download_url": download_url(services, row.account_id, facts),
        "thumb_url": thumbnail_url(services, row.account_id, facts, TILE),
        "width": facts.width,
        "height": facts.height,
        "colour": facts.colour,
        "alt": alt,
        "name": facts.file_name,
        "is_public": facts.is_public,
    }


def tile(services: Services, row: GenerationRow) -> dict[str, Any]:
    """Return a generation's template data for the history."""
    title = style_title(services, row.style_name)
    first = next(iter(row.in_role("result") or row.in_role("product") or row.in_role("model")), None)
    return {
        "id": row.id,
        "href": f"/studio/generations/{row.id}",
        "status": row.status,
        "is_deleted": row.status == "completed" and not row.in_role("result"),
        "style_title": title,
        "prompt": row.prompt,
        "created_at": row.created_at,
        "progress": row.progress,
        "queue_position": row.queue_position,
        "error_message": row.error_message,
        "is_favourite": row.is_favourite,
        "picture": picture(services, row, first, f"{title}: {row.prompt}" if row.prompt else title) if first else None,
    }


def result(services: Services, row: GenerationRow) -> dict[str, Any]:
    """Return a finished generation's template data for a comparison."""
    title = style_title(services, row.style_name)
    return {
        "id": row.id,
        "href": f"/studio/generations/{row.id}",
        "again_href": f"/studio?again={row.id}",
        "title": title,
        "seed": row.seed,
        "picture": picture(services, row, row.in_role("result")[0], f"{title}: {row.prompt}" if row.prompt else title),
    }


def generation(services: Services, row: GenerationRow) -> dict[str, Any]:
    """Return a generation's template data for its own page."""
    catalogue = services.get(Catalogue)
    style = catalogue.styles.get(row.style_name)
    title = style_title(services, row.style_name)
    alt = f"{title}: {row.prompt}" if row.prompt else say("The finished picture in the style {title}", title=title)
    results = [picture(services, row, item, alt) for item in row.in_role("result")]
    products = [picture(services, row, item, say("Product: {name}", name=item.file_name)) for item in row.in_role("product")]
    models = [picture(services, row, item, say("Scene: {name}", name=item.file_name)) for item in row.in_role("model")]
    titles = {parameter.name: say(parameter.title) for parameter in style.parameters} if style else {}
    return {
        "generation": {
            "id": row.id,
            "status": row.status,
            "progress": row.progress,
            "step": row.step or "",
            "queue_position": row.queue_position,
            "style_title": title,
            "engine_title": say(catalogue.engines[row.engine].title) if row.engine in catalogue.engines else row.engine,
            "prompt": row.prompt,
            "parameters": [
                {"title": titles.get(name, name), "value": format_value(row.parameters[name])}
                for name in [*(item for item in titles if item in row.parameters), *(row.parameters.keys() - titles.keys())]
            ],
            "seed": row.seed,
            "asset": row.charge_asset,
            "cost": row.cost,
            "created_at": row.created_at,
            "time_ms": row.processing_time_ms if row.status == "completed" else None,
            "error_message": row.error_message,
            "returnable": row.returnable,
            "returned": row.status in ENDED and row.status != "completed",
            "is_public": any(item.is_public for item in row.in_role("result")),
            "attempt": row.attempt,
            "batch_id": row.batch_id,
            "is_favourite": row.is_favourite,
        },
        "products": products,
        "models": models,
        "results": results,
        "before": _before(results, [*models, *products]),
        "address": absolute(services, f"/pictures/{row.account_id}/{row.id}"),
        "again_href": f"/studio?again={row.id}",
    }


def format_value(value: Any) -> str:
    """Return a parameter's value as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value).replace("_", " ")


def _before(results: list[dict[str, Any]], sources: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the source with the result's aspect ratio, for the before/after slider."""
    if not results:
        return None
    shape = results[0]["width"] / results[0]["height"]
    return next((source for source in sources if abs(source["width"] / source["height"] - shape) < CLOSE * shape), None)
