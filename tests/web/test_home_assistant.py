"""What the page about Home Assistant configures, sent to a real daemon.

Home Assistant itself is not here: its templates are jinja2's, and are evaluated with that.
"""

from __future__ import annotations

import json
import re
import sys
import urllib.error
import urllib.request
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

sys.path.insert(0, str(Path(__file__).parent))
from browsing import ROOT, Place, eventually, installation

PAGE = ROOT / "docs" / "home-assistant.md"
ADDRESS = "http://192.168.1.10:8287"
TOKEN = "a-token-of-the-tests"
TRUE = {"true", "on", "yes", "1"}
"""What Home Assistant's binary sensor takes for on."""
ORION = 3


class Loader(yaml.SafeLoader):
    """Reads YAML with Home Assistant's secrets."""


Loader.add_constructor("!secret", lambda _, node: SECRETS[node.value])


def blocks(kind: str) -> list[str]:
    """Return what the page fences as some kind."""
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


SECRET_BLOCK, *CONFIGURED = blocks("yaml")
SECRETS = {name: value.replace("THE-TOKEN", TOKEN) for name, value in yaml.safe_load(SECRET_BLOCK).items()}
SETTINGS = {}
for block in CONFIGURED:
    SETTINGS |= yaml.load(block, Loader)
(REST,) = SETTINGS["rest"]
TEMPLATES = ImmutableSandboxedEnvironment(undefined=StrictUndefined)


def slug(name: str) -> str:
    """Return the id that Home Assistant makes of a name."""
    return re.sub(r"\W+", "_", name.lower()).strip("_")


def send(place: Place, asked: dict, method: str = "GET", **given: object) -> tuple[int, str]:
    """Send a request as the configuration has it; give the answer's status and text."""
    url = TEMPLATES.from_string(asked.get("url") or asked["resource"]).render(**given)
    assert url.startswith(ADDRESS)
    headers = dict(asked.get("headers", {}))
    payload = asked.get("payload")
    if "content_type" in asked:
        headers["Content-Type"] = asked["content_type"]
    body = None if payload is None else payload.encode()
    if method == "POST" and body is None:
        body = b""
    request = urllib.request.Request(url.replace(ADDRESS, place.url), body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=70) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def command(place: Place, name: str, **given: object) -> tuple[int, str]:
    asked = SETTINGS["rest_command"][name]
    return send(place, asked, asked["method"].upper(), **given)


def shown(place: Place) -> dict[str, str]:
    """Return what each sensor shows, by its entity's id."""
    status, text = send(place, REST)
    assert status == 200, text
    assert len(text) < 65_536
    found = {}
    for kind in ("sensor", "binary_sensor"):
        for one in REST[kind]:
            value = json.loads(text)
            there = TEMPLATES.from_string(one.get("availability", "True")).render(value_json=value)
            rendered = TEMPLATES.from_string(one["value_template"]).render(value_json=value)
            found[f"{kind}.{slug(one['name'])}"] = rendered if there == "True" else "unavailable"
    return found


class Told(Place):
    """A daemon with the token."""

    def get(self, path: str) -> bytes:
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with installation(tmp_path_factory.mktemp("home")) as made:
        made.simulator.person(made.asset_of(ORION), "set_description", "A cold night.")
        made.simulator.wait_until_idle()
        made.__class__ = Told
        (made.folder / "token").write_text(TOKEN)
        (made.folder / "token").chmod(0o600)
        (host,) = [text for text in blocks("toml") if text.startswith("[status]\n")]
        more = f'{host}token_file = "{made.folder}/token"\n'
        made.config.write_text(made.config.read_text().replace("[status]\n", more))
        made.start()
        eventually(made.settled, "the first pass", 120)
        yield made


def test_each_sensor_shows_what_the_daemon_says(place):
    found, status = shown(place), place.status()
    assert found["sensor.astrophotos_headline"] == status["headline"][:250]
    assert 0 < int(found["sensor.astrophotos_in_sync"]) == status["counts"]["in_sync"]
    assert 0 < int(found["sensor.astrophotos_in_conflict"]) == status["counts"]["conflict"]
    assert datetime.fromisoformat(found["sensor.astrophotos_checked"]).tzinfo
    on = {name: value.lower() in TRUE for name, value in found.items() if name.startswith("binary_sensor")}
    assert on == {
        "binary_sensor.astrophotos_need_attention": True,
        "binary_sensor.astrophotos_reach_immich": True,
        "binary_sensor.astrophotos_paused": False,
    }


def test_every_sensor_has_an_id_of_its_own():
    every = [*REST["sensor"], *REST["binary_sensor"], *SETTINGS["template"][0]["button"]]
    assert len({one["unique_id"] for one in every}) == len({slug(one["name"]) for one in every}) == len(every)


def test_pausing_is_seen_by_its_sensor(place):
    assert command(place, "astrophotos_pause")[0] == 200
    assert shown(place)["binary_sensor.astrophotos_paused"] == "True"
    assert command(place, "astrophotos_resume")[0] == 200
    assert shown(place)["binary_sensor.astrophotos_paused"] == "False"


def test_a_sync_is_started_of_all_images_and_of_one(place):
    for name, given, trigger in (
        ("astrophotos_sync", {}, "api"),
        ("astrophotos_sync_image", {"image_id": ORION}, "api"),
    ):
        status, text = command(place, name, **given)
        assert status in {200, 202}, text
        run_id = json.loads(text)["run_id"]
        eventually(place.settled, "it is through", 60)
        state = json.loads(place.get(f"/api/v1/runs/{run_id}"))["state"]
        assert (state["state"], state["trigger"]) == ("done", trigger)


def test_without_the_token_nothing_is_shown_and_nothing_done(place):
    assert send(place, REST | {"headers": {}})[0] == 401
    for name, asked in SETTINGS["rest_command"].items():
        assert send(place, asked | {"headers": {}}, "POST", image_id=ORION)[0] in {401, 403}, name


def test_what_automations_name_is_configured():
    entities = {f"{kind}.{slug(one['name'])}" for kind in ("sensor", "binary_sensor") for one in REST[kind]}
    actions = {f"rest_command.{name}" for name in SETTINGS["rest_command"]} | {"notify.notify"}
    elsewhere = {"binary_sensor.observatory_roof"}
    done = [one for made in SETTINGS["automation"] for one in made["actions"]]
    done += SETTINGS["template"][0]["button"][0]["press"]
    assert {one["action"] for one in done} <= actions
    for made in SETTINGS["automation"]:
        assert {one["entity_id"] for one in made["triggers"]} <= entities | elsewhere
    assert set(re.findall(r"states\('([\w.]+)'\)", PAGE.read_text())) <= entities
