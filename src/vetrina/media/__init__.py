"""Images: upload, storage, delivery, deletion, and profile pictures."""

from __future__ import annotations

from vetrina.core.module import AccountSection, Command, LedgerSubject, Module, NotificationKind, Place

MODULE = Module(
    "media",
    requires=("accounts", "notifications"),
    api=(
        "vetrina.media.albums.api",
        "vetrina.media.files.api",
        "vetrina.media.files.origin_api",
        "vetrina.media.trash.api",
        "vetrina.media.portraits.api",
        "vetrina.media.public_pictures.api",
    ),
    pages=(
        "vetrina.media.albums.pages",
        "vetrina.media.albums.public_pages",
        "vetrina.media.files.pages",
        "vetrina.media.files.origin_pages",
        "vetrina.media.trash.pages",
        "vetrina.media.selection.pages",
        "vetrina.media.portraits.pages",
        "vetrina.media.public_pictures.pages",
        "vetrina.media.delivery",
        "vetrina.media.share_cards",
    ),
    jobs=(
        "vetrina.media.files.jobs",
        "vetrina.media.trash.jobs",
        "vetrina.media.albums.jobs",
    ),
    services=("vetrina.media.files.decode_slots:DecodeSlots", "vetrina.media.provenance.signing:Signer"),
    commands=(Command("media", "vetrina.media.commands:app", "Verify the Content Credentials of a picture."),),
    personal_data="vetrina.media.personal_data",
    spends=("image_slot",),
    navigation=(Place("library", "/library", "Library", "images", position=30, key="l"),),
    account_menu=(Place("albums", "/albums", "Your albums", position=6),),
    settings_navigation=(Place("profile", "/settings/profile", "Profile", position=10),),
    operator_navigation=(
        Place("pictures", "/operator/public-pictures", "Public pictures", "images", "Reports, removal, the front page", 35),
    ),
    checks="vetrina.media.checks",
    labels="vetrina.media.labels",
    ledger_subjects=(LedgerSubject("upload", "/library/{id}", spent_on="A file in your library"),),
    sitemaps=("vetrina.media.portraits.sitemap",),
    profile_tabs=(Place("pictures", "", "Pictures", position=10), Place("albums", "/albums", "Albums", position=12)),
    account_sections=(AccountSection("media/operator/section.html", "vetrina.media.operator.lookup:section", position=30),),
    searches=("vetrina.media.operator.lookup:search_files",),
    notifications=(
        NotificationKind(
            "picture_removed",
            "Pictures removed after a report",
            "An operator removed a picture of yours from public places",
            href="/library/{subject}",
            icon="circle-alert",
        ),
        NotificationKind(
            "picture_restored",
            "Pictures restored",
            "A picture of yours that was removed may be public again",
            href="/library/{subject}",
            icon="circle-check",
        ),
    ),
    links=(("profile", "/@{handle}"),),
)
