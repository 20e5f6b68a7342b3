"""Holds answers against docs/openapi.json."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator

from contract.run import ContractResponse

_PATH: Final = Path(__file__).parents[1] / "docs" / "openapi.json"
_ERROR: Final = 400


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_PATH.read_text(encoding="utf-8"))
    return document


@cache
def _described(route: str, status: int) -> tuple[bool, Draft202012Validator | None]:
    method, _, path = route.partition(" ")
    responses = _document()["paths"][path][method.lower()]["responses"]
    if str(status) not in responses:
        return False, None
    content = responses[str(status)].get("content")
    if content is None:
        return True, None
    schema = content["application/json"]["schema"]
    whole = {**schema, "components": _document()["components"]}
    return True, Draft202012Validator(whole)


def problem(route: str, response: ContractResponse) -> str:
    """Return what about an answer is not in the document; empty when all is."""
    is_there, validator = _described(route, response.status)
    if not is_there:
        return f"{route} answers {response.status}"
    if validator is None:
        return "" if response.body is None else f"{route} answers {response.status} with a body"
    if response.headers.get("content-type") != "application/json":
        return f"{route} answers {response.status} without a content-type"
    if response.status >= _ERROR and "error" not in (response.body or {}):
        return f"{route} answers {response.status} as only API Gateway does"
    for error in validator.iter_errors(response.body):
        return f"{route} answers {response.status} with {error.json_path} {error.validator}"
    return ""
