"""Images: upload, storage, delivery, deletion, and profile pictures."""

from __future__ import annotations

from vetrina.core.module import LedgerSubject, Module, Place

MODULE = Module(
    "media",
    requires=("accounts",),
    api=(
        "vetrina.media.files.api",
        "vetrina.media.portraits.api",
        "vetrina.media.public_pictures.api",
    ),
    pages=(
        "vetrina.media.files.pages",
        "vetrina.media.portraits.pages",
        "vetrina.media.public_pictures.pages",
        "vetrina.media.delivery",
        "vetrina.media.share_cards",
    ),
    jobs=("vetrina.media.files.jobs",),
    services=("vetrina.media.files.decode_slots:DecodeSlots",),
    personal_data="vetrina.media.personal_data",
    spends=("image_slot",),
    navigation=(Place("library", "/library", "Library", "images", position=30, key="l"),),
    settings_navigation=(Place("profile", "/settings/profile", "Profile", position=10),),
    operator_navigation=(
        Place("pictures", "/operator/public-pictures", "Public pictures", "images", "Reports, removal, the front page", 35),
    ),
    checks="vetrina.media.public_pictures.checks",
    labels="vetrina.media.labels",
    ledger_subjects=(LedgerSubject("upload", "/library/{id}", spent_on="A file in your library"),),
    sitemaps=("vetrina.media.portraits.sitemap",),
    links=(("profile", "/@{handle}"),),
)
