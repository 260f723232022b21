"""Handle, business profile, domain, and sign-in through an identity provider."""

from __future__ import annotations

import secrets

import httpx2

from vetrina.demo.runner import DemoRun


def run(demo: DemoRun) -> None:
    """Run the chapter."""
    mark = secrets.token_hex(4)
    site = f"grace-{mark}.example"
    with demo.step("Grace registers, and takes a handle"):
        registration = {"email": f"grace-{mark}@example.com", "password": f"a long enough one, {mark}", "name": "Grace"}
        demo.sign_in(demo.call("POST", "/auth/registration", json=registration, expect=201)["access_token"])
        demo.call("PATCH", "/me/profile", json={"handle": "admin"}, expect=422)
        demo.check("a reserved handle is refused", True)
        demo.call("PATCH", "/me/profile", json={"handle": f"grace-{mark}", "bio": "Linocuts and letters."})
        page = demo.client.get(f"/@grace-{mark}")
        demo.check("her profile page is public", page.status_code == 200 and "Linocuts and letters." in page.text)
        demo.check("it does not show her e-mail address", registration["email"] not in page.text)
    with demo.step("She adds a business profile"):
        face = {"business_name": "Grace's Press", "profile_info": {"website": site}}
        wrong = {**face, "social_links": {"x": "https://elsewhere.example"}}
        demo.call("PATCH", "/me/profile", json={"business": wrong}, expect=422)
        demo.check("an invalid link is refused", True)
        business = demo.call("PATCH", "/me/profile", json={"business": face})["business"]
        demo.check("the profile exists, unverified", not business["is_verified"], business)
    with demo.step("She claims a domain"):
        domain = demo.call("POST", "/domains", json={"domain": site}, expect=201)
        demo.say(f"TXT {domain['record']['name']} {domain['record']['value']}")
        demo.check("it is pending verification", domain["status"] == "pending", domain)
        verification = demo.call("POST", f"/domains/{domain['id']}/verification")
        demo.check(
            "the name servers were queried",
            verification["last_result"] in {"missing", "unreachable"},
            verification["last_result"],
        )
        demo.check("it stays pending without the DNS record", verification["status"] == "pending", verification)
        demo.call("POST", "/domains", json={"domain": "co.uk"}, expect=422)
        demo.check("a public suffix cannot be claimed", True)
    with demo.step("Identity providers"):
        offered = demo.call("GET", "/auth/providers")["items"]
        if not offered:
            demo.say("None is configured: set VETRINA_OIDC_ISSUER and VETRINA_OIDC_CLIENT_ID.")
        for provider in offered:
            authorization = demo.call("POST", f"/auth/providers/{provider['name']}/authorizations", json={}, expect=201)
            query = dict(httpx2.URL(authorization["authorization_url"]).params)
            demo.say(f"{provider['title']} at {httpx2.URL(authorization['authorization_url']).host}")
            demo.check("the request has PKCE, state and nonce", {"code_challenge", "state", "nonce"} <= query.keys())
        demo.check("no account is linked without a request", demo.call("GET", "/identities")["items"] == [])
