"""Personal data in the gallery."""

from __future__ import annotations

from types import NoneType
from typing import Any

from vetrina.core.database.connection import Statement
from vetrina.core.personal_data import PersonalData, TableRule

EXPORT_LIKES = Statement(
    dict[str, Any],
    "select to_jsonb(r) - 'account_id' as row from gallery.likes r where account_id = %(account)s order by created_at",
)
EXPORT_COMMENTS = Statement(
    dict[str, Any],
    "select to_jsonb(r) - 'account_id' as row from gallery.comments r where account_id = %(account)s order by created_at",
)
EXPORT_IMAGES = Statement(
    dict[str, Any],
    """
    select to_jsonb(r) - 'account_id' as row from gallery.post_images r
     where account_id = %(account)s order by post_id, position
    """,
)
EXPORT_POSTS = Statement(
    dict[str, Any],
    "select to_jsonb(r) - array['account_id', 'words'] as row from gallery.posts r where account_id = %(account)s order by id",
)
EXPORT_FOLLOWS = Statement(
    dict[str, Any],
    "select to_jsonb(r) - 'account_id' as row from gallery.follows r where account_id = %(account)s order by created_at",
)
EXPORT_BLOCKS = Statement(
    dict[str, Any],
    "select to_jsonb(r) - 'account_id' as row from gallery.blocks r where account_id = %(account)s order by created_at",
)
EXPORT_MUTES = Statement(
    dict[str, Any],
    "select to_jsonb(r) - 'account_id' as row from gallery.mutes r where account_id = %(account)s order by created_at",
)
EXPORT_PROFILE = Statement(
    dict[str, Any],
    "select to_jsonb(r) - 'account_id' as row from gallery.profiles r where account_id = %(account)s order by created_at",
)
ERASE_LIKES = Statement(NoneType, "delete from gallery.likes where account_id = %(account)s")
ERASE_COMMENTS = Statement(NoneType, "delete from gallery.comments where account_id = %(account)s")
ERASE_IMAGES = Statement(NoneType, "delete from gallery.post_images where account_id = %(account)s")
ERASE_POSTS = Statement(NoneType, "delete from gallery.posts where account_id = %(account)s")
# What other accounts keep of this one goes with it.
ERASE_FOLLOWS = Statement(
    NoneType, "delete from gallery.follows where account_id = %(account)s or followed_account_id = %(account)s"
)
ERASE_BLOCKS = Statement(
    NoneType, "delete from gallery.blocks where account_id = %(account)s or blocked_account_id = %(account)s"
)
ERASE_MUTES = Statement(NoneType, "delete from gallery.mutes where account_id = %(account)s or muted_account_id = %(account)s")
ERASE_PROFILE = Statement(NoneType, "delete from gallery.profiles where account_id = %(account)s")
ERASE_COUNTERS = Statement(NoneType, "delete from gallery.counters where account_id = %(account)s")

PERSONAL_DATA = PersonalData(
    "gallery",
    [
        TableRule("gallery.likes", EXPORT_LIKES, ERASE_LIKES),
        TableRule("gallery.comments", EXPORT_COMMENTS, ERASE_COMMENTS),
        TableRule("gallery.post_images", EXPORT_IMAGES, ERASE_IMAGES),
        TableRule("gallery.posts", EXPORT_POSTS, ERASE_POSTS),
        TableRule("gallery.follows", EXPORT_FOLLOWS, ERASE_FOLLOWS),
        TableRule("gallery.blocks", EXPORT_BLOCKS, ERASE_BLOCKS),
        TableRule("gallery.mutes", EXPORT_MUTES, ERASE_MUTES),
        TableRule("gallery.profiles", EXPORT_PROFILE, ERASE_PROFILE),
        TableRule("gallery.counters", None, ERASE_COUNTERS, "figures that follow from the rows above"),
    ],
)
