"""The API's document is what the route table says, and is a valid one."""

from openapi_spec_validator import validate

from lambda_src.rooms.routes import COMMON_ERRORS, ROUTES
from tools import openapi


def test_the_committed_document_is_the_generated_one() -> None:
    assert openapi.PATH.read_text(encoding="utf-8") == openapi.render(), (
        "docs/openapi.json is stale: run `make openapi`"
    )


def test_the_document_is_valid_openapi() -> None:
    validate(openapi.document())


def test_it_has_every_route_with_every_code_and_no_other_route() -> None:
    paths = openapi.document()["paths"]
    documented = {
        (method.upper(), path): operation
        for path, operations in paths.items()
        for method, operation in operations.items()
    }
    assert documented.keys() == {(route.method, route.path) for route in ROUTES}
    for route in ROUTES:
        responses = documented[route.method, route.path]["responses"]
        for code in (*route.errors, *COMMON_ERRORS):
            assert code.name in str(responses[str(code.status)])
