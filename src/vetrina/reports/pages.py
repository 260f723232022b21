"""Pages of the reports, for operators; the pages of members are in members/pages.py."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import Response, get
from litestar.params import QueryParameter
from psycopg.conninfo import conninfo_to_dict

from vetrina.accounts.roles.guards import operator
from vetrina.core.errors import Refusal
from vetrina.core.web import csv, pages
from vetrina.core.web.request import Request
from vetrina.reports import actions, formatting, presenters
from vetrina.reports.actions import Figures
from vetrina.reports.catalogue import REPORTS, get_report
from vetrina.reports.conformance import documents
from vetrina.web import i18n

SPANS = (1, 2, 3, 6, 12, 24, 36, 60)


@get("/reports", guards=[operator], include_in_schema=False)
async def index(request: Request) -> Response[str]:
    """Show today's figures and the list of reports."""
    figures = await actions.figures(request.services.db, "mrr", months=12)
    by_currency: dict[str, list[dict[str, Any]]] = {}
    for row in figures.rows:
        by_currency.setdefault(row["currency"], []).append(row)
    totals = [
        {
            "title": currency.upper(),
            "monthly": formatting.money(rows[-1]["closing"], currency),
            "change": formatting.money(rows[-1]["closing"] - rows[-1]["opening"], currency),
            "grows": rows[-1]["closing"] >= rows[-1]["opening"],
            "customers": rows[-1]["customers"],
            "chart": presenters.recurring(rows, currency),
        }
        for currency, rows in sorted(by_currency.items(), key=lambda pair: (-pair[1][-1]["customers"], pair[0]))
        if any(row["closing"] for row in rows)
    ]
    return pages.render(request, "reports/index.html", nav="operator", totals=totals, reports=list(REPORTS.values()))


@get("/reports/connect", guards=[operator], include_in_schema=False, sync_to_thread=False)
def connect(request: Request) -> Response[str]:
    """Show how to connect Metabase, Grafana and psql to the documented schemas."""
    parts = conninfo_to_dict(request.services.db.uri)
    return pages.render(
        request,
        "reports/connect.html",
        nav="operator",
        documents=documents(),
        host=parts.get("host") or "localhost",
        port=parts.get("port") or "5432",
        database=parts.get("dbname") or "vetrina",
    )


@get("/reports/{name:str}", guards=[operator], include_in_schema=False)
async def report(
    request: Request, name: str, as_of: str = "", span: Annotated[str, QueryParameter(name="months")] = ""
) -> Response[str]:
    """Show a report as charts and tables."""
    selected = get_report(name)
    months = int(span) if span.isdecimal() and int(span) in SPANS else selected.months
    try:
        day, refused = actions.parse_date(as_of), None
    except Refusal as error:
        day, refused = None, error
    figures = await actions.figures(request.services.db, name, as_of=day, months=months)
    query = urlencode({"as_of": figures.as_of, "months": months})
    return pages.render(
        request,
        "reports/report.html",
        refusal=refused,
        nav="operator",
        reports=list(REPORTS.values()),
        report=selected,
        figures=figures,
        sections=presenters.sections(figures),
        as_of=as_of if refused else figures.as_of.isoformat(),
        today=actions.today().isoformat(),
        refused=refused.message if refused else None,
        months=str(months),
        spans=[{"value": str(n), "title": _span(n, ahead=selected.ahead)} for n in SPANS],
        csv_href=f"/reports/{name}/figures.csv?{query}",
        json_href=f"/api/v1/reports/{name}?{query}",
    )


@get("/reports/{name:str}/figures.csv", guards=[operator], include_in_schema=False)
async def report_csv(
    request: Request, name: str, as_of: str = "", span: Annotated[str, QueryParameter(name="months")] = ""
) -> Response[str]:
    """Return the rows of a report as CSV; amounts in minor units."""
    months = int(span) if span.isdecimal() and len(span) < 4 else None
    figures: Figures = await actions.figures(request.services.db, name, as_of=actions.parse_date(as_of), months=months)
    return Response(
        csv.lines(formatting.to_csv(figures)),
        media_type="text/csv; charset=utf-8; header=present",
        headers={
            "Content-Disposition": f'attachment; filename="{figures.name}-{figures.as_of}.csv"',
            "Cache-Control": "no-store",
        },
    )


def _span(n: int, *, ahead: bool) -> str:
    return i18n.count("{n} month ahead", "{n} months ahead", n) if ahead else i18n.count("{n} month", "{n} months", n)


ROUTES: list[Any] = [index, connect, report, report_csv]
