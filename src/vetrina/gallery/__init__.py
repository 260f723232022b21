"""The gallery: posts of pictures, likes, comments, follows, the wall and the feed."""

from __future__ import annotations

from vetrina.core.module import Module, NotificationKind, Place

MODULE = Module(
    "gallery",
    requires=("accounts", "notifications", "media", "studio"),
    api=(
        "vetrina.gallery.posts.api",
        "vetrina.gallery.reactions.api",
        "vetrina.gallery.follows.api",
        "vetrina.gallery.wall.api",
    ),
    pages=(
        "vetrina.gallery.posts.pages",
        "vetrina.gallery.posts.share_pages",
        "vetrina.gallery.reactions.pages",
        "vetrina.gallery.follows.pages",
        "vetrina.gallery.wall.pages",
        "vetrina.gallery.wall.feeds",
    ),
    jobs=("vetrina.gallery.jobs",),
    services=(
        "vetrina.gallery.reactions.actions:LikeBatcher",
        "vetrina.gallery.reactions.actions:UnlikeBatcher",
        "vetrina.gallery.follows.actions:FollowBatcher",
    ),
    personal_data="vetrina.gallery.personal_data",
    labels="vetrina.gallery.labels",
    navigation=(Place("feed", "/feed", "Feed", "images", position=22, key="f"),),
    public_prefixes=("/posts/", "/feed."),
    account_menu=(Place("posts", "/posts", "Your posts", position=5),),
    settings_navigation=(Place("followers", "/settings/followers", "Followers", position=15),),
    sitemaps=("vetrina.gallery.wall.sitemap",),
    footer="vetrina.gallery.wall.pages:footer",
    profile_tabs=(
        Place("posts", "/posts", "Posts", position=5),
        Place("followers", "/followers", "Followers", position=20),
    ),
    wall="vetrina.gallery.wall.pages:newest",
    hides="vetrina.gallery.follows.actions:is_hidden",
    links=(
        ("post_generation", "/posts/new/{generation}"),
        ("share_target", "/posts/shared"),
        ("account_act", "/accounts/{account}/{act}"),
    ),
    notifications=(
        NotificationKind(
            "like",
            "Likes",
            "{name} liked your post",
            ("{name} and {n} other liked your post", "{name} and {n} others liked your post"),
            "/posts/{subject}",
            "heart",
        ),
        NotificationKind(
            "comment",
            "Comments",
            "{name} commented on your post",
            ("{name} and {n} other commented on your post", "{name} and {n} others commented on your post"),
            "/posts/{subject}#comments",
            "message-circle",
            mail=True,
        ),
        NotificationKind(
            "answer",
            "Answers to your comments",
            "{name} answered your comment",
            ("{name} and {n} other answered your comment", "{name} and {n} others answered your comment"),
            "/posts/{subject}#comments",
            "message-circle",
            mail=True,
        ),
        NotificationKind(
            "follow",
            "New followers",
            "{name} follows you",
            ("{name} and {n} other follow you", "{name} and {n} others follow you"),
            "/settings/followers",
            "users",
        ),
        NotificationKind(
            "follow_request",
            "Requests to follow",
            "{name} asks to follow you",
            ("{name} and {n} other ask to follow you", "{name} and {n} others ask to follow you"),
            "/settings/followers",
            "users",
            mail=True,
        ),
        NotificationKind(
            "follow_approved",
            "Approved requests",
            "{name} approved your request to follow",
            ("{name} and {n} other approved your request to follow", "{name} and {n} others approved your request to follow"),
            "/feed",
            "users",
        ),
    ),
    message_subjects=(("post", "vetrina.gallery.posts.subjects:posts"),),
)
