"""The doors and the account's own pages, as a person without scripts uses them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx2

from tests.factories import PASSWORD, Make
from tests.server import Site
from vetrina.accounts import user_agents
from vetrina.accounts.model import Device
from vetrina.accounts.sessions import actions as sessions
from vetrina.accounts.usage import chart
from vetrina.core import usage
from vetrina.core.settings.environment import read
from vetrina.core.usage import UsageDay
from vetrina.modules import of

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


def visitor(site: Site) -> httpx2.AsyncClient:
    """A browser that nobody is signed in with."""
    return httpx2.AsyncClient(base_url=site.url, headers={"User-Agent": FIREFOX}, timeout=30)


async def test_registration_redirects_to_the_requested_page(site: Site) -> None:
    async with visitor(site) as browser:
        expected = await browser.get("/wallet?kind=hold")
        sign_in_page = await browser.get(expected.headers["location"])
        assert "/sign-up?next=" in sign_in_page.text
        form = await browser.get(f"/sign-up?next={quote('/wallet?kind=hold', safe='')}")
        assert 'value="/wallet?kind=hold"' in form.text and "20 tokens" in form.text
        response = await browser.post(
            "/sign-up",
            data={"name": "Ada", "email": "Ada@Example.com", "password": PASSWORD, "next": "/wallet?kind=hold"},
        )
        assert response.status_code == 303 and response.headers["location"] == "/wallet?kind=hold"
        cookie = response.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=lax" in cookie.replace("Lax", "lax") and "Path=/" in cookie
        assert PASSWORD not in cookie
        page = await browser.get("/account")
        assert "Ada" in page.text and "ada@example.com" in page.text
        assert "Firefox on Linux" in (await browser.get("/settings/sessions")).text
        assert page.headers["cache-control"] == "no-store"
        # already in: the doors lead on
        assert (await browser.get("/sign-in?next=/library")).headers["location"] == "/library"
        assert (await browser.get("/sign-up")).headers["location"] == "/studio"


async def test_errors_appear_beside_their_fields_and_input_is_preserved(site: Site, make: Make) -> None:
    await make.account(email="taken@example.com")
    form = {"name": "Ada <b>", "email": "taken@example.com", "password": PASSWORD, "next": "/library"}
    for change, status, field, sentence in (
        ({}, 409, "email", "already an account"),
        ({"email": "nonsense"}, 422, "email", "does not look like an e-mail"),
        ({"email": "new@example.com", "password": "short"}, 422, "password", "at least 10 characters"),
        ({"email": "new@example.com", "name": "x" * 121}, 422, "name", "1 to 120 characters"),
        ({"email": "new@example.com", "name": "zero\0"}, 422, None, "cannot be stored"),
        ({"email": ""}, 422, "email", "does not look like"),
    ):
        page = await site.client.post("/sign-up", data={**form, **change})
        assert page.status_code == status and sentence in page.text, page.text[:400]
        if field:
            assert f'aria-describedby="{field}-error' in page.text and f'id="{field}-error"' in page.text
        assert 'value="/library"' in page.text and PASSWORD not in page.text and "set-cookie" not in page.headers
        if "name" not in change:
            assert 'value="Ada &lt;b&gt;"' in page.text
        if change.get("email"):
            assert f'value="{change["email"]}"' in page.text


async def test_signing_in(site: Site) -> None:
    await site.client.post("/api/v1/auth/registration", json={"email": "ada@example.com", "password": PASSWORD})
    async with visitor(site) as browser:
        for email, password in (("ada@example.com", "wrong"), ("nobody@example.com", PASSWORD), ("", "")):
            page = await browser.post("/sign-in", data={"email": email, "password": password, "next": "/library"})
            assert page.status_code == 401 and "is not right" in page.text and "set-cookie" not in page.headers
            assert f'value="{email}"' in page.text or not email
            assert 'value="/library"' in page.text and "wrong" not in page.text
        for onward, place in (("/library", "/library"), ("", "/studio"), ("//evil.example", "/studio")):
            answer = await browser.post("/sign-in", data={"email": "Ada@example.com", "password": PASSWORD, "next": onward})
            assert answer.status_code == 303 and answer.headers["location"] == place
        # signing in again took the place of the session before
        page = await browser.get("/settings/sessions")
        assert page.text.count("Firefox on Linux") == 1


async def test_odd_forms_are_refused_in_words(site: Site) -> None:
    for send in (
        {"json": {"email": "a@example.com", "password": PASSWORD}},
        {"content": b"email=%ff%fe&password=%00", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"data": {"email": ["a@example.com", "b@example.com"], "password": PASSWORD}},
        {"content": b""},
        {"files": {"email": ("a.jpg", b"x", "image/jpeg")}},
    ):
        answer = await site.client.post("/sign-in", **send)  # type: ignore[arg-type]
        assert 400 <= answer.status_code < 500 and "text/html" in answer.headers["content-type"], (send, answer.text[:300])


async def test_passwords_that_look_like_something_else(site: Site) -> None:
    for n, password in enumerate(("1234509876123", "true    false", "null&null=null", "100%25%2B%20+ +", '{"a": "b", "c"}')):
        form = {"email": f"odd{n}@example.com", "password": password}
        assert (await site.client.post("/sign-up", data=form)).status_code == 303
        site.client.cookies.clear()
        body = await site.client.post("/api/v1/auth/session", json=form)
        assert body.status_code == 201, password


async def test_signing_out(site: Site, make: Make) -> None:
    account = await make.account()
    async with site.browser(account) as browser:
        answer = await browser.post("/sign-out")
        assert answer.status_code == 303 and answer.headers["location"] == "/"
        assert "You are signed out." in (await browser.get("/")).text
    async with site.browser(account) as browser:  # who kept the cookie has nothing
        assert (await browser.get("/account")).status_code == 303
        assert (await browser.post("/sign-out")).status_code == 303


async def test_the_name_can_be_changed(site: Site, make: Make) -> None:
    for kind in ("user", "vendor"):
        async with site.browser(await make.account(kind=kind)) as browser:
            assert (await browser.post("/account", data={"name": " Grace <i> "})).status_code == 303
            page = await browser.get("/account")
            assert "Saved" in page.text and 'value="Grace &lt;i&gt;"' in page.text
            long = await browser.post("/account", data={"name": "x" * 121})
            assert long.status_code == 422 and 'value="' + "x" * 121 in long.text and "1 to 120" in long.text
            assert (await browser.post("/account", data={"name": ""})).status_code == 303
            stored = 'value="Grace' in (await browser.get("/account")).text
            assert stored is (kind == "vendor")  # a business has a name


async def test_sessions_can_be_ended_from_the_page(site: Site, make: Make) -> None:
    account = await make.account()
    async with site.services.db.tx() as tx:
        others = [
            await sessions.insert_session(tx, account.id, Device(agent, "192.0.2.7")) for agent in ("curl/8.5", None, FIREFOX)
        ]
    async with site.browser(account) as browser:
        page = (await browser.get("/settings/sessions")).text
        assert "curl, a program" in page and "192.0.2.7" in page and page.count("this browser, now") == 1
        assert page.index("this browser, now") < page.index("curl")
        ended = await browser.post(f"/settings/sessions/{others[0].session_id}/revocation")
        assert ended.status_code == 303 and "curl" not in (await browser.get("/settings/sessions")).text
        await browser.post("/settings/sessions/revocation")
        page = (await browser.get("/settings/sessions")).text
        assert "2 other sessions have ended." in page and "Firefox" not in page
        assert "Sign out everywhere else" not in page


async def test_a_program_may_read_the_pages_too(site: Site, make: Make) -> None:
    account = await make.account()
    for path in ("/account", "/account/usage", "/wallet"):
        assert (await site.client.get(path, headers=account.headers)).status_code == 200


async def test_usage_is_shown_by_day_and_action(site: Site, make: Make) -> None:
    account = await make.account()
    async with site.browser(account) as browser:
        assert "Nothing in this range" in (await browser.get("/account/usage")).text
        async with site.services.db.tx() as tx:
            for action, count in (("file_uploaded", 3), ("generation_started", 2), ("signed_in", 1)):
                for _ in range(count):
                    await usage.record(tx, account.id, action, {})
            await tx.connection.execute(
                "update core.usage set at = now() - interval '20 days' where account_id = %s and action = 'signed_in'",
                (account.id,),
            )
        page = (await browser.get("/account/usage")).text
        assert "Files uploaded" in page and "6 in all, most on" in page and page.count('class="chart-day"') == 30
        assert re.search(r"<tfoot>.*?<td class=\"end\">3</td>.*?<td class=\"end\">6</td>", page, re.DOTALL)
        week = (await browser.get("/account/usage?days=7")).text
        assert week.count('class="chart-day"') == 7 and "5 in all" in week
        one = (await browser.get("/account/usage?action=file_uploaded&days=90")).text
        assert one.count('class="chart-day"') == 90 and "3 in all" in one and 'value="file_uploaded" selected' in one
        odd = await browser.get("/account/usage?action=%3Cscript%3E&days=9999999999")
        assert odd.status_code == 200 and "<script>" not in odd.text and odd.text.count('class="chart-day"') == 30


def test_at_most_six_series_and_every_action_is_in_one() -> None:
    now = datetime(2026, 11, 21, 13, tzinfo=UTC)
    since, titles = chart.first_day(7, now), of(read({})).usage_titles
    assert since == datetime(2026, 11, 15, tzinfo=UTC)
    counted = [UsageDay(since + timedelta(days=n % 7), f"thing_{n:02}", n + 1) for n in range(10)]
    displayed = chart.context(counted, titles=titles, action="", since=since, days=7)
    assert len(displayed["chart"]["series"]) == 6 and displayed["chart"]["series"][-1]["title"] == "Other"
    assert displayed["total"] == sum(total["count"] for total in displayed["totals"]) == 55
    assert displayed["rows"][0]["title"] == "21 Nov 2026" and displayed["rows"][-1]["title"] == "15 Nov 2026"
    assert all(row["total"] == sum(row["counts"]) and len(row["counts"]) == 6 for row in displayed["rows"])
    columns = displayed["chart"]["columns"]
    assert len(columns) == 7 and [part["colour"] for part in columns[2]["rectangles"]] == [1, 6]
    assert all(tick.isdigit() for tick in displayed["chart"]["ticks"]) and int(displayed["chart"]["ticks"][0]) >= 14
    assert min(part["y"] for column in columns for part in column["rectangles"]) >= 0
    six = chart.context(counted[:6], titles=titles, action="", since=since, days=7)
    assert [item["title"] for item in six["chart"]["series"]] == [f"Thing 0{n}" for n in (5, 4, 3, 2, 1, 0)]
    assert chart.context([], titles=titles, action="", since=since, days=7)["chart"] is None


def test_devices_in_words() -> None:
    for agent, message in (
        (FIREFOX, "Firefox on Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/142.0 Safari/537.36 Edg/142.0", "Edge on Windows"),
        (f"Mozilla/5.0 (Linux; Android 15; Pixel 9) {WEBKIT} Chrome/142.0 Mobile Safari/537.36", "Chrome on Android"),
        (f"Mozilla/5.0 (iPhone; CPU OS 18_1 like Mac OS X) {WEBKIT} Version/18.1 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/18.1 Safari/605.1", "Safari on macOS"),
        ("curl/8.5.0", "curl, a program"),
        ("", "A program without a name"),
        (None, "A program without a name"),
        ("<script>", "A program"),
    ):  # fmt: skip
        assert user_agents.title(agent) == message
