"""Images of link previews: the right size and format, of public pictures alone."""

from __future__ import annotations

import pytest
import pyvips

from tests.factories import Account, Make
from tests.media.processing import bad_files as corpus
from tests.server import Site
from vetrina.core.storage.store import key_of
from vetrina.media.files import actions
from vetrina.media.model import FileRow


async def stored(site: Site, account: Account, width: int, height: int, *, public: bool = True) -> FileRow:
    prepared = await actions.prepare(site.services, account.id, corpus.photograph(width, height))
    async with site.services.db.tx() as tx:
        return await actions.insert(tx, account.id, prepared, "product_image", "cup.jpg", is_public=public)


def card_of(row: FileRow) -> str:
    return f"/media/{row.account_id}/{row.id}/card.jpg"


@pytest.mark.parametrize(("width", "height"), [(800, 600), (300, 900), (64, 48)])
async def test_card_is_a_jpeg_of_the_size_that_previews_ask_for(site: Site, make: Make, width: int, height: int) -> None:
    row = await stored(site, await make.account(), width, height)
    answer = await site.client.get(card_of(row))
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    image = pyvips.Image.new_from_buffer(answer.content, "")
    assert (image.width, image.height, image.bands) == (1200, 630, 3)
    assert len(answer.content) < 300_000
    assert (await site.client.get(card_of(row))).content == answer.content, "it is kept"


async def test_private_picture_has_no_card(site: Site, make: Make) -> None:
    account = await make.account()
    row = await stored(site, account, 320, 240, public=False)
    assert (await site.client.get(card_of(row))).status_code == 404
    async with site.services.db.tx() as tx:
        await actions.change(tx, account.id, row.id, is_public=True)
    assert (await site.client.get(card_of(row))).status_code == 200
    async with site.services.db.tx() as tx:
        await actions.change(tx, account.id, row.id, is_public=False)
    assert (await site.client.get(card_of(row))).status_code == 404


async def test_card_is_deleted_with_its_picture(site: Site, make: Make) -> None:
    from vetrina.media.files import jobs

    account = await make.account()
    row = await stored(site, account, 320, 240)
    await site.client.get(card_of(row))
    assert await site.services.storage.exists(key_of(account.id, row.id, "card"))
    async with site.services.db.tx() as tx:
        await actions.delete(tx, account.id, [row.id])
    await jobs.erase(site.services, prefix=f"{account.id}/{row.id}")
    assert not await site.services.storage.exists(key_of(account.id, row.id, "card"))


async def test_cards_of_one_address_are_limited(site: Site, make: Make) -> None:
    async with site.services.db.tx() as tx:
        await tx.connection.execute(
            """update core.settings set value = '{"count": 1, "seconds": 60}' where key = 'limits.share_cards'"""
        )
    row = await stored(site, await make.account(), 320, 240)
    statuses = [(await site.client.get(card_of(row))).status_code for _ in range(2)]
    assert statuses == [200, 429]
