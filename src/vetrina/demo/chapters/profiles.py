"""Who one is to others: a handle, a business face, a domain; and signing in through an identity provider."""

from __future__ import annotations

import secrets

import httpx2

from vetrina.demo.runner import Story


def tell(story: Story) -> None:
    """The chapter."""
    mark = secrets.token_hex(4)
    site = f"grace-{mark}.example"
    with story.step("Grace registers, and takes a handle"):
        known = {"email": f"grace-{mark}@example.com", "password": f"a long enough one, {mark}", "name": "Grace"}
        story.sign_in(story.call("POST", "/auth/registration", json=known, expect=201)["access_token"])
        story.call("PATCH", "/me/profile", json={"handle": "admin"}, expect=422)
        story.check("not one that is kept for the house", True)
        story.call("PATCH", "/me/profile", json={"handle": f"grace-{mark}", "bio": "Linocuts and letters."})
        page = story.client.get(f"/@grace-{mark}")
        story.check("her profile has an address of its own", page.status_code == 200 and "Linocuts and letters." in page.text)
        story.check("which does not tell her e-mail address", known["email"] not in page.text)
    with story.step("She adds a business face"):
        face = {"business_name": "Grace's Press", "profile_info": {"website": site}}
        wrong = {**face, "social_links": {"x": "https://elsewhere.example"}}
        story.call("PATCH", "/me/profile", json={"business": wrong}, expect=422)
        story.check("a link that is not what it says is refused", True)
        made = story.call("PATCH", "/me/profile", json={"business": face})["business"]
        story.check("the face is there, without the badge", not made["is_verified"], made)
    with story.step("She says that a domain is hers"):
        domain = story.call("POST", "/domains", json={"domain": site}, expect=201)
        story.say(f"TXT {domain['record']['name']} {domain['record']['value']}")
        story.check("and has to prove it", domain["status"] == "pending", domain)
        found = story.call("POST", f"/domains/{domain['id']}/verification")
        story.check("the name servers were asked", found["last_result"] in {"missing", "unreachable"}, found["last_result"])
        story.check("and nothing is proven without the record", found["status"] == "pending", found)
        story.call("POST", "/domains", json={"domain": "co.uk"}, expect=422)
        story.check("what belongs to everybody cannot be proven", True)
    with story.step("Identity providers"):
        offered = story.call("GET", "/auth/providers")["items"]
        if not offered:
            story.say("None is set up here: VETRINA_OIDC_ISSUER and VETRINA_OIDC_CLIENT_ID do that.")
        for each in offered:
            begun = story.call("POST", f"/auth/providers/{each['name']}/authorizations", json={}, expect=201)
            asked = dict(httpx2.URL(begun["authorization_url"]).params)
            story.say(f"{each['title']} at {httpx2.URL(begun['authorization_url']).host}")
            story.check("with PKCE, state and nonce", {"code_challenge", "state", "nonce"} <= asked.keys())
        story.check("nobody is linked to one without having asked", story.call("GET", "/identities")["items"] == [])
