"""The API's description: valid, complete, and true under a rain of odd requests."""

from __future__ import annotations

import contextlib
import warnings

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from starlette.routing import Route

from reconciler.app.overrides import OwnTemplate
from reconciler.core.policy import Policy
from reconciler.web.api.openapi import document
from reconciler.web.app import create_app
from reconciler.web.ports import Check
from state.store import StateStore

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis import GenerationMode, checks
    from schemathesis.specs.openapi import checks as openapi_checks

CHECKS = (
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
)
HEADERS = {"origin": "http://127.0.0.1:8287", "host": "127.0.0.1:8287"}
ENDLESS = "/api/v1/events"


def operations():
    return [
        (path, method) for path, found in document()["paths"].items() for method in found if path != ENDLESS
    ]


class Kept(dict):
    """Where a template is kept, as in a store."""

    def put(self, key, value):
        self[key] = value


async def doctor():
    return (Check("immich", "Immich", "problem", "It does not answer.", "Start it."),)


@pytest.fixture
def described(control, filled, renderer):
    # One store for all examples: requests change nothing in it.
    with StateStore.open(filled, read_only=True) as store:
        keeper = OwnTemplate(Kept(), Policy)
        app = create_app(control, store, template=keeper, renderer=renderer, doctor=doctor)
        yield schemathesis.openapi.from_asgi("/api/v1/openapi.json", app, headers=HEADERS)


# Schemathesis' own pytest plugin does not know this pytest; its strategies and checks need none.
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_request_makes_it_fail_and_every_answer_is_as_described(described, mode, subtests):
    for path, method in operations():
        with subtests.test(path=path, method=method):
            rain(described[path][method.upper()].as_strategy(generation_mode=mode))


def rain(cases):
    @given(case=cases)
    @settings(
        max_examples=12,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    def fall(case):
        case.call_and_validate(headers=HEADERS, checks=CHECKS)

    with contextlib.suppress(Unsatisfiable):  # nothing can be wrong with a request that takes nothing
        fall()


def test_every_address_of_the_api_is_described(control, filled):
    with StateStore.open(filled, read_only=True) as store:
        app = create_app(control, store)
    served = {
        (route.path.replace(":int}", "}"), method.lower())
        for route in app.routes
        if isinstance(route, Route) and (route.path.startswith("/api/") or route.path == "/metrics")
        for method in route.methods - {"HEAD"}
    }
    described = {(path, method) for path, operations in document()["paths"].items() for method in operations}
    assert served <= described


def test_the_description_is_an_openapi_document():
    found = document()
    assert found["openapi"].startswith("3.1")
    names = [operation["operationId"] for path in found["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))
