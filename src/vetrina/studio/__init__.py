"""Image generation, paid with credits."""

from __future__ import annotations

from vetrina.core.module import AccountSection, LedgerSubject, Module, NotificationKind, Place

MODULE = Module(
    "studio",
    requires=("accounts", "notifications", "wallet", "media"),
    api=(
        "vetrina.studio.generations.api",
        "vetrina.studio.generations.conversions_api",
        "vetrina.studio.batches.api",
        "vetrina.studio.drafts.api",
        "vetrina.studio.cutouts.api",
    ),
    pages=(
        "vetrina.studio.generations.pages",
        "vetrina.studio.generations.result_pages",
        "vetrina.studio.batches.pages",
        "vetrina.studio.composer.pages",
        "vetrina.studio.composer.draft_pages",
        "vetrina.studio.cutouts.pages",
        "vetrina.studio.prices.pages",
        "vetrina.studio.styles.previews",
    ),
    jobs=("vetrina.studio.generations.jobs",),
    slow_queues=(("studio", None),),
    services=(
        "vetrina.studio.generations.actions:StartBatcher",
        "vetrina.studio.styles.catalogue:Catalogue",
    ),
    personal_data="vetrina.studio.personal_data",
    home="/",
    spends=("token", "conversion"),
    navigation=(
        Place("studio", "/studio", "Studio", "wand-sparkles", position=10, key="s"),
        Place("history", "/studio/generations", "History", "history", position=20, key="h"),
    ),
    header=("studio/generations/live.html",),
    session_columns=(
        (
            "has_running",
            "exists (select from studio.generations g"
            " where g.account_id = a.id and g.status in ('pending', 'uploading', 'processing'))",
        ),
    ),
    after_sign_in="/studio",
    footer="vetrina.studio.prices.pages:footer",
    sitemaps=("vetrina.studio.sitemap",),
    labels="vetrina.studio.labels",
    channels=("generations",),
    ledger_subjects=(
        LedgerSubject(
            "generation",
            "/studio/generations/{id}",
            named="Picture: {name}",
            name_sql="""(
             select s.title from studio.generations made join studio.styles s on s.name = made.style_name
              where made.account_id = e.account_id and made.hold_id = e.hold_id)""",
            reasons=(("generation failed", "it failed"), ("generation cancelled", "cancelled")),
        ),
    ),
    account_sections=(AccountSection("studio/operator/section.html", "vetrina.studio.operator.lookup:section", position=31),),
    figures=("vetrina.studio.operator.figures:figures",),
    searches=("vetrina.studio.operator.lookup:search_generations",),
    notifications=(
        NotificationKind(
            "picture_ready",
            "Pictures that are ready",
            "Your picture is ready",
            href="/studio/generations/{subject}",
            icon="image",
        ),
        NotificationKind(
            "picture_failed",
            "Pictures that failed",
            "Your picture could not be finished; its price was returned",
            href="/studio/generations/{subject}",
            icon="circle-alert",
        ),
    ),
    links=(
        ("generation", "/studio/generations/{id}"),
        ("picture", "/pictures/{account}/{id}"),
        ("use_file", "/studio"),
        ("cut_out", "/studio/cutouts/{id}"),
        ("return_cut_out", "/studio/cutouts/{generation}/return"),
        ("make_picture", "/studio"),
        ("prices", "/prices"),
    ),
)
