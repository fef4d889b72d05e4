"""Who sees which of the pages of many installations, route by route, on a real PostgreSQL."""

from __future__ import annotations

import asyncio

from state.postgres import installations

from .pages import (
    DOMAIN,
    HTML,
    OPERATOR,
    OPERATORS,
    USERS,
    Browser,
    log_in,
    opened,
    refused,
    routes,
)


def test_nobody_sees_another_s_pages_route_by_route(two):
    async def go():
        async with opened(two, USERS) as site, Browser(site.router) as browser:
            annas = await log_in(browser, "anna")
            assert (await browser.at("anna", headers={**annas, **HTML})).status_code == 200
            strangers = (
                {}, annas, {"remote-user": "anna"}, {"remote-user": "mallory"}, {"remote-user": ""},
            )  # fmt: skip
            assert sum([await refused(browser, two, one) for one in strangers]) > 700
            # Wrong tokens are answered ever later, so with anna's not everything is asked for.
            wrong = {"authorization": "Bearer the long token of anna"}
            for path in ("/", "/images", "/api/v1/status"):
                assert (await browser.at("ben", path, headers=wrong)).status_code == 401
            assert len(site.openings) == 1  # anna's: for strangers nothing was opened
            async with Browser(site.router, peer="192.0.2.7") as elsewhere:  # not the proxy
                for name in ("ben", "anna", ""):
                    answer = await elsewhere.at(name, headers={"remote-user": "ben", **HTML})
                    assert answer.status_code == 303, name

    asyncio.run(go())


def test_each_sees_theirs_and_operators_all_whichever_way_they_show_who_they_are(two):
    asset_id = two.sql("ben", "SELECT immich_id FROM astrophotography_images ORDER BY id LIMIT 1")[0][0]

    async def go():
        async with opened(two, USERS) as site, Browser(site.router) as browser:
            bens = ({"remote-user": "ben"}, {"authorization": "Bearer the long token of ben"})
            for headers in (*bens, await log_in(browser, "ben"), {"remote-user": "olga"}, OPERATOR):
                picture = await browser.at("ben", f"/thumbnails/{asset_id}", headers=headers)
                assert picture.headers["content-type"].startswith("image/")
                assert (await browser.at("ben", "/images", headers={**headers, **HTML})).status_code == 200
            for method, path in routes(two, "ben"):
                if method == "GET" and not path.endswith("/events"):
                    answer = await browser.at("ben", path, headers=bens[0])
                    assert answer.status_code in {200, 204, 303, 400, 404}, (path, answer.text)
            page = await browser.at("ben", headers={**bens[0], **HTML})
            assert f'href="//{DOMAIN}/"' in page.text
            assert "<b>ben</b>" in page.text

    asyncio.run(go())


def test_the_list_shows_each_theirs_and_operators_all(two):
    two.add("zoe")

    async def names(browser, **headers):
        answer = await browser.at("", "/api/v1/installations", headers=headers)
        return (
            [one["name"] for one in answer.json()["installations"]]
            if answer.is_success
            else answer.status_code
        )

    async def go():
        async with opened(two, USERS) as site, Browser(site.router) as browser:
            assert await names(browser) == 401
            assert await names(browser, **{"remote-user": "anna"}) == ["anna"]
            assert await names(browser, **{"remote-user": "mallory"}) == []
            assert await names(browser, **{"remote-user": "olga"}) == ["anna", "ben", "zoe"]
            assert await names(browser, **OPERATOR) == ["anna", "ben", "zoe"]
            page = await browser.at("", headers={"remote-user": "anna", **HTML})
            assert f"//anna.{DOMAIN}/" in page.text
            assert "ben" not in page.text
            assert "Pause" not in page.text
            page = await browser.at("", "/?q=zo", headers={"remote-user": "olga", **HTML})
            assert "zoe" in page.text
            assert f"//ben.{DOMAIN}/" not in page.text
            # Only operators ask for something here, and only from this place's own pages.
            origin = {"origin": f"http://{DOMAIN}"}
            asked = [
                await browser.at("", "/installations/ben/pause", "POST", headers=headers)
                for headers in (
                    {"remote-user": "ben", **origin}, {"remote-user": "olga", "origin": f"http://ben.{DOMAIN}"},
                    {"remote-user": "olga", "origin": f"http://{DOMAIN}", "sec-fetch-site": "same-site"},
                    {"remote-user": "olga", **origin},
                )
            ]  # fmt: skip
            assert [answer.status_code for answer in asked] == [403, 403, 403, 303]
            paused = {one.name for one in installations.installations(two.address) if one.paused_at}
            assert paused == {"ben"}
            page = await browser.at("ben", headers={"remote-user": "ben", **HTML})
            assert page.status_code == 503
            assert "ben is paused" in page.text
            assert (await browser.at("", "/metrics", headers={"remote-user": "ben"})).status_code == 403
            assert (
                "reconciler_installation_level" in (await browser.at("", "/metrics", headers=OPERATOR)).text
            )
            assert (
                await browser.at("", "/installations/nobody/sync", "POST", headers=OPERATOR)
            ).status_code == 404
            for unknown in ("nobody", "x.ben", "ben.evil.example"):
                assert (await browser.at(unknown, headers=OPERATOR)).status_code == 404
                # To strangers it looks like one that there is.
                stranger = [
                    await browser.at(name, headers={"remote-user": "anna"}) for name in (unknown, "ben")
                ]
                assert stranger[0].json() == stranger[1].json()
                assert stranger[0].status_code == 401
            elsewhere = await browser.request("GET", "http://evil.example/", headers=OPERATOR)
            assert elsewhere.status_code == 421

    asyncio.run(go())


def test_one_login_of_an_operator_opens_all_and_one_log_out_ends_it(two):
    async def go():
        async with opened(two, USERS) as site, Browser(site.router) as browser:
            form = {"token": OPERATORS}
            answer = await browser.at("", "/login", "POST", data=form, headers={"origin": f"http://{DOMAIN}"})
            assert f"Domain={DOMAIN}" in answer.headers["set-cookie"]
            for name in ("", "anna", "ben"):
                assert (await browser.at(name, headers=HTML)).status_code == 200
            kept = dict(browser.cookies)
            answer = await browser.at("ben", "/logout", "POST", headers={"origin": f"http://ben.{DOMAIN}"})
            assert answer.status_code == 303
            cookie = {"cookie": "; ".join(f"{name}={value}" for name, value in kept.items())}
            for name in ("", "anna", "ben"):
                assert (await browser.at(name, headers={**cookie, **HTML})).status_code == 303

    asyncio.run(go())


def test_guesses_of_a_token_are_counted_together_whatever_the_name_they_are_made_at(two):
    async def go():
        async with opened(two, USERS) as site, Browser(site.router) as browser:
            wrong = {"authorization": "Bearer a guess"}
            names = ("", "anna", "nobody", "nobody-else")
            answers = [(await browser.at(name, headers=wrong)).status_code for name in names]
            assert answers == [401, 401, 401, 429]
            assert (await browser.at("anna", headers=OPERATOR)).status_code == 200

    asyncio.run(go())


def test_a_configuration_that_can_not_be_read_lets_nobody_in_and_one_that_changed_holds_at_once(two):
    async def go():
        async with opened(two, USERS) as site, Browser(site.router) as browser:
            ben = {"remote-user": "ben", **HTML}
            assert (await browser.at("ben", headers=ben)).status_code == 200
            mend = two.spoil("ben")
            answer = await browser.at("ben", headers=ben)
            assert answer.status_code == 503
            # Not even what is wrong with it: who asks is not known.
            assert "cannot be shown now" in answer.text
            assert "source" not in answer.text
            assert "content-security-policy" in answer.headers
            assert (await browser.at("ben", "/livez")).status_code == 200
            mend()
            assert (await browser.at("ben", headers=ben)).status_code == 200
            file = two.folder / "installations" / "ben.toml"
            file.write_text(file.read_text().replace('users = ["ben"]', 'users = ["bella"]'))
            assert (await browser.at("ben", headers=ben)).status_code == 303
            assert (await browser.at("ben", headers={"remote-user": "bella", **HTML})).status_code == 200

    asyncio.run(go())


def test_many_requests_at_once_open_pages_once_and_a_session_outlives_other_changes(two):
    async def go():
        async with opened(two, USERS) as site, Browser(site.router) as browser:
            cookie = await log_in(browser, "ben")
            for change in (
                lambda: None,
                (two.folder / "installations" / "ben" / "status_token").touch,
            ):
                change()
                answers = await asyncio.gather(
                    *(browser.at("ben", "/images", headers={**cookie, **HTML}) for _ in range(12))
                )
                assert {answer.status_code for answer in answers} == {200}
            assert len(site.openings) == 1

    asyncio.run(go())
