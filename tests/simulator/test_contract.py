"""What the simulator answers fits the published OpenAPI documents, as far as those are at hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from reconciler.simulator.serve import Simulator, serve
from reconciler.simulator.server.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

RELEASES = {
    "1.144.1": "immich-1.144.1.json",
    "2.7.5": "immich-2.7.5.json",
    "3.0.0": "immich-3.0.0-dev.json",
    "3.1.0": "immich-3.0.0-dev.json",
}
ASSET = "0a0b0c0d-0000-4000-8000-000000000001"


def plain(schema: Any) -> Any:
    """Turn OpenAPI 3.0's ``nullable`` into JSON Schema, and ``$ref`` into the definitions' place."""
    if isinstance(schema, list):
        return [plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    turned = {key: plain(value) for key, value in schema.items() if key not in {"nullable", "example"}}
    if schema.get("nullable"):
        return {"anyOf": [turned, {"type": "null"}]}
    return turned


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest, shared: Path) -> Iterator[tuple[Simulator, dict[str, Any]]]:
    document = json.loads((shared / "specs" / RELEASES[request.param]).read_text())
    with serve(assets=[ASSET], unkind="none", version=request.param) as simulator:
        yield simulator, document


def check(document: dict[str, Any], answer: httpx.Response, path: str, method: str) -> None:
    """Validate an answer against the schema of its route and status."""
    operation = document["paths"][path][method.lower()]
    described = operation["responses"][str(answer.status_code)]
    if "content" not in described:
        assert not answer.content
        return
    schema = described["content"]["application/json"]["schema"]
    whole = {**plain(schema), "components": plain(document["components"])}
    jsonschema.Draft202012Validator(whole).validate(answer.json())


def test_answers_fit_the_published_schemas(release: tuple[Simulator, dict[str, Any]], client: Any) -> None:
    simulator, document = release
    http = client(simulator)

    def call(method: str, path: str, body: object = None, **params: str) -> Any:
        answer = http.request(method, path.format(**params), json=body)
        assert answer.status_code < 300, answer.text
        check(document, answer, path, method)
        return answer.json() if answer.content else None

    call("PUT", "/assets/{id}", {"description": "M 31", "latitude": 1, "longitude": 9, "rating": 3}, id=ASSET)
    call("PUT", "/assets", {"ids": [ASSET], "dateTimeOriginal": "2024-05-01T12:00:00Z"})
    tag = call("PUT", "/tags", {"tags": ["Astro/Galaxy"]})[0]
    call("POST", "/tags", {"name": "RGB", "color": "#102030"})
    call("GET", "/tags/{id}", id=tag["id"])
    call("PUT", "/tags/assets", {"assetIds": [ASSET], "tagIds": [tag["id"]]})
    call("PUT", "/tags/{id}/assets", {"ids": [ASSET]}, id=tag["id"])
    simulator.wait_until_idle()
    call("GET", "/tags")
    call("GET", "/assets/{id}", id=ASSET)
    call("POST", "/search/metadata", {"withExif": True})
    call("POST", "/search/statistics", {})
    call("GET", "/assets/statistics")
    of_many = "/assets/metadata" in document["paths"]  # as free keys: since 2.5
    key = "k" if of_many else "mobile-app"
    call("PUT", "/assets/{id}/metadata", {"items": [{"key": key, "value": {"n": 1}}]}, id=ASSET)
    call("GET", "/assets/{id}/metadata", id=ASSET)
    call("GET", "/assets/{id}/metadata/{key}", id=ASSET, key=key)
    if of_many:
        call("PUT", "/assets/metadata", {"items": [{"assetId": ASSET, "key": key, "value": {}}]})
    call("DELETE", "/assets/{id}/metadata/{key}", id=ASSET, key=key)
    call("DELETE", "/tags/{id}/assets", {"ids": [ASSET]}, id=tag["id"])
    call("DELETE", "/tags/{id}", id=tag["id"])
    for path in ("/api-keys/me", "/server/ping", "/server/version", "/server/config", "/server/about"):
        call("GET", path)
    call("GET", "/users/me")
    call("GET", "/users/me/preferences")
    call("DELETE", "/assets", {"ids": [ASSET]})


def test_every_route_of_the_simulator_is_a_published_one(shared: Path) -> None:
    document = json.loads((shared / "specs" / RELEASES["2.7.5"]).read_text())
    ours = {
        (path, method.lower())
        for path, methods in ROUTES.items()
        for method, route in methods.items()
        if route.since <= (2, 7, 5)
    }
    theirs = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert ours <= theirs


def test_scopes_are_the_published_ones(shared: Path) -> None:
    document = json.loads((shared / "specs" / RELEASES["2.7.5"]).read_text())
    for path, methods in ROUTES.items():
        for method, route in methods.items():
            if route.since <= (2, 7, 5):
                published = document["paths"][path][method.lower()].get("x-immich-permission")
                assert route.permission == published, (method, path)
