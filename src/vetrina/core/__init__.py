"""Infrastructure shared by every module. Contains no domain code."""

from __future__ import annotations

from vetrina.core.module import Module

MODULE = Module(
    "core",
    pages=(
        "vetrina.core.web.health",
        "vetrina.core.web.meta_pages",
        "vetrina.core.web.public.routes",
        "vetrina.core.web.dev_outbox",
    ),
    jobs=(
        "vetrina.core.jobs.audit_anchors",
        "vetrina.core.jobs.cleanup",
        "vetrina.core.messages.outbox",
    ),
    services=(
        "vetrina.core.rate_limits:Limits",
        "vetrina.core.web.pages:PageTemplates",
    ),
    checks="vetrina.core.checks",
    personal_data="vetrina.core.personal_data",
)
