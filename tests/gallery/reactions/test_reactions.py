"""Likes and comments: idempotent, counted right under concurrency."""

from __future__ import annotations

from tests.factories import Make, race
from tests.gallery.helpers import address, written, wrong_counters
from tests.server import Site
from vetrina.gallery.reactions import actions
from vetrina.gallery.reactions.actions import LikeBatcher


async def test_a_repeated_like_counts_once(site: Site, make: Make) -> None:
    artist, fan = await make.account(), await make.account()
    post = await written(site, artist)
    async with site.api(fan) as client:
        outcomes = await race(64, lambda: client.put(f"/posts/{artist.id}/{post['id']}/like"))
        assert {getattr(answer, "status_code", answer) for answer in outcomes} == {204}
        answer_post = (await client.get(address(post))).json()
    assert answer_post["like_count"] == 1 and answer_post["is_liked"]
    assert await wrong_counters(site.services.db) == []


async def test_counters_equal_rows_after_many_likes_at_once(site: Site, make: Make) -> None:
    artist = await make.account()
    posts = [await written(site, artist) for _ in range(2)]
    fans = [await make.account() for _ in range(16)]

    async def press(number: int) -> None:
        post, fan = posts[number % 2], fans[number % 16]
        action = actions.unlike if number % 3 == 0 else actions.like
        await action(site.services, fan.id, artist.id, post["id"])

    numbers = iter(range(64))
    outcomes = await race(64, lambda: press(next(numbers)))
    assert [outcome for outcome in outcomes if outcome is not None] == []
    batcher = site.services.get(LikeBatcher)
    assert batcher.items > batcher.batches, "likes that come together are written together"
    assert await wrong_counters(site.services.db) == []


async def test_likes_of_two_processes_at_once(site: Site, make: Make) -> None:
    artist = await make.account()
    post = await written(site, artist)
    fans = [await make.account() for _ in range(32)]
    other = LikeBatcher.provide(site.services)  # a batcher of its own, as another process has
    numbers = iter(range(64))

    async def press(number: int) -> bool:
        batcher = other if number % 2 else site.services.get(LikeBatcher)
        return await batcher(actions.LikeItem(artist.id, post["id"], fans[number // 2].id))

    assert await race(64, lambda: press(next(numbers))) == [True] * 64
    async with site.api(artist) as client:
        assert (await client.get(address(post))).json()["like_count"] == 32
    assert await wrong_counters(site.services.db) == []


async def test_what_one_may_not_see_cannot_be_liked(site: Site, make: Make) -> None:
    artist, fan = await make.account(), await make.account()
    draft = await written(site, artist, publish=False)
    async with site.api(fan) as client:
        assert (await client.put(f"{address(draft)}/like")).status_code == 404
        assert (await client.post(f"{address(draft)}/comments", json={"body": "Oh"})).status_code == 404


async def test_threads_have_two_levels(site: Site, make: Make) -> None:
    artist, fan = await make.account(), await make.account()
    post = await written(site, artist)
    async with site.api(fan) as reader, site.api(artist) as own:
        first = (await reader.post(f"{address(post)}/comments", json={"body": "Beautiful"})).json()
        parent = {"parent_account_id": first["account_id"], "parent_id": first["id"]}
        answer = (await own.post(f"{address(post)}/comments", json={"body": "Thank you", **parent})).json()
        deeper = {"parent_account_id": answer["account_id"], "parent_id": answer["id"]}
        third = (await reader.post(f"{address(post)}/comments", json={"body": "Again", **deeper})).json()
        assert answer["parent_id"] == third["parent_id"] == first["id"]
        page = await site.client.get(address(post))
        assert page.text.index("Beautiful") < page.text.index("Thank you") < page.text.index("Again")
        assert (await own.delete(f"/comments/{first['account_id']}/{first['id']}")).status_code == 204, "the post's owner may"
        assert (await own.get(f"{address(post)}/comments")).json()["items"] == []
    assert await wrong_counters(site.services.db) == []


async def test_only_author_and_owner_delete_a_comment(site: Site, make: Make) -> None:
    artist, fan, other = await make.account(), await make.account(), await make.account()
    post = await written(site, artist)
    async with site.api(fan) as reader, site.api(other) as third:
        comment = (await reader.post(f"{address(post)}/comments", json={"body": "Hm"})).json()
        path = f"/comments/{comment['account_id']}/{comment['id']}"
        assert (await third.delete(path)).status_code == 404
        assert (await reader.delete(path)).status_code == 204


async def test_like_and_comment_by_form(site: Site, make: Make) -> None:
    artist, fan = await make.account(), await make.account()
    post = await written(site, artist, title="A cup")
    async with site.browser(fan) as browser:
        for path, data in ((f"{address(post)}/like", {}), (f"{address(post)}/comments", {"body": "<i>Nice</i>"})):
            answer = await browser.post(path, data=data, headers={"Sec-Fetch-Site": "same-origin"})
            assert answer.status_code == 303
        page = await browser.get(address(post))
        assert 'aria-pressed="true"' in page.text and "&lt;i&gt;Nice&lt;/i&gt;" in page.text
        long = await browser.post(
            f"{address(post)}/comments", data={"body": "x" * 2001}, headers={"Sec-Fetch-Site": "same-origin"}
        )
        assert long.status_code == 422 and "x" * 2001 in long.text
