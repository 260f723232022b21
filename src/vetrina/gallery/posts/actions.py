"""Actions on posts: write, publish, archive, delete and restore."""

from __future__ import annotations

import re
from collections.abc import Sequence
from uuid import UUID

import msgspec

from vetrina.core import usage
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.errors import NotFound
from vetrina.gallery.model import (
    ALT_LENGTH,
    BODY_LENGTH,
    IMAGES_LIMIT,
    TAGS_LIMIT,
    TITLE_LENGTH,
    AltTextTooLong,
    PostRow,
    PostStatus,
    PostWithoutPictures,
    TextTooLong,
    TitleTooLong,
    TooManyPictures,
    TooManyTags,
    Visibility,
)
from vetrina.gallery.posts import queries
from vetrina.media.files import actions as files

TAG = re.compile(r"(?<![\w&/#])#(\w{1,60})")


class ImageRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A picture of the library in a post, with its description for people who do not see it."""

    file_id: UUID
    alt: str = ""


class PostRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A post to write. Words that begin with # become its tags."""

    title: str = ""
    body: str = ""
    visibility: Visibility = Visibility.PUBLIC
    images: list[ImageRequest] = []


def tags_of(text: str) -> list[str]:
    """Return the tags of a text in lower case, in order, each once."""
    return list(dict.fromkeys(match.lower() for match in TAG.findall(text)))


async def create(tx: Tx, account: AccountId, post: PostRequest) -> UUID:
    """Write a draft and return its id.

    Raises TitleTooLong, TextTooLong, TooManyTags, TooManyPictures, AltTextTooLong, UnknownPicture, PictureTwice (422).
    """
    _check(post)
    post_id = new_id()
    await tx.execute(queries.INSERT, account=account, id=post_id, **_fields(post))
    await _add_images(tx, account, post_id, post.images)
    return post_id


async def change(tx: Tx, account: AccountId, post_id: UUID, post: PostRequest) -> None:
    """Replace what a post says and shows. Raises NotFound (404) and what `create` raises."""
    _check(post)
    row = await lock(tx, account, post_id)
    published = row.status == PostStatus.PUBLISHED
    if published and not post.images:
        raise PostWithoutPictures
    await tx.execute(queries.CHANGE, account=account, id=post_id, **_fields(post))
    if published:
        await _hide_pictures(tx, account, post_id)
    await tx.execute(queries.REMOVE_IMAGES, account=account, id=post_id)
    await _add_images(tx, account, post_id, post.images)
    if published and post.visibility is Visibility.PUBLIC:
        await _show_pictures(tx, account, post_id)


async def publish(tx: Tx, account: AccountId, post_id: UUID) -> None:
    """Publish a post. Raises NotFound (404), PostWithoutPictures (422), and the refusals of public pictures."""
    row = await lock(tx, account, post_id)
    if row.status == PostStatus.PUBLISHED:
        return
    if not row.images:
        raise PostWithoutPictures
    await tx.execute(queries.PUBLISH, account=account, id=post_id, wall_id=new_id())
    if row.visibility == Visibility.PUBLIC:
        await _show_pictures(tx, account, post_id)
    await usage.record(tx, account, "post_published", {"post_id": str(post_id)})


async def archive(tx: Tx, account: AccountId, post_id: UUID) -> None:
    """Take a post off every list; its owner keeps it. Raises NotFound (404)."""
    row = await lock(tx, account, post_id)
    if row.status == PostStatus.PUBLISHED:
        await tx.execute(queries.ARCHIVE, account=account, id=post_id)
        await _hide_pictures(tx, account, post_id)


async def delete(tx: Tx, account: AccountId, post_id: UUID) -> None:
    """Delete a post; within 30 days it can be restored. Raises NotFound (404)."""
    row = await lock(tx, account, post_id)
    await tx.execute(queries.DELETE, account=account, id=post_id)
    if row.status == PostStatus.PUBLISHED:
        await _hide_pictures(tx, account, post_id)


async def restore(tx: Tx, account: AccountId, post_id: UUID) -> None:
    """Restore a deleted post as it was. Raises NotFound (404)."""
    if await tx.fetch_optional(queries.RESTORE, account=account, id=post_id) is None:
        raise NotFound
    row = await lock(tx, account, post_id)
    if row.status == PostStatus.PUBLISHED and row.visibility == Visibility.PUBLIC:
        await _show_pictures(tx, account, post_id)


async def lock(tx: Tx, account: AccountId, post_id: UUID) -> PostRow:
    """Return one's own post, locked. Raises NotFound (404)."""
    return await tx.fetch_one(queries.LOCK, account=account, id=post_id, viewer=account)


def _check(post: PostRequest) -> None:
    """Refuse what the constraints refuse, before anything is written."""
    if len(post.title) > TITLE_LENGTH:
        raise TitleTooLong
    if len(post.body) > BODY_LENGTH:
        raise TextTooLong
    if len(tags_of(post.body)) > TAGS_LIMIT:
        raise TooManyTags
    if len(post.images) > IMAGES_LIMIT:
        raise TooManyPictures
    if any(len(image.alt) > ALT_LENGTH for image in post.images):
        raise AltTextTooLong


def _fields(post: PostRequest) -> dict[str, object]:
    return {
        "visibility": post.visibility.value,
        "title": post.title.strip(),
        "body": post.body.strip(),
        "tags": tags_of(post.body),
    }


async def _add_images(tx: Tx, account: AccountId, post_id: UUID, images: Sequence[ImageRequest]) -> None:
    await tx.execute(
        queries.ADD_IMAGES,
        account=account,
        id=post_id,
        files=[image.file_id for image in images],
        alts=[image.alt.strip() for image in images],
    )


async def _show_pictures(tx: Tx, account: AccountId, post_id: UUID) -> None:
    for file_id in await tx.fetch_all(queries.TO_SHOW, account=account, id=post_id):
        await files.change(tx, account, file_id, is_public=True)


async def _hide_pictures(tx: Tx, account: AccountId, post_id: UUID) -> None:
    for file_id in await tx.fetch_all(queries.TO_HIDE, account=account, id=post_id):
        await files.change(tx, account, file_id, is_public=False)
