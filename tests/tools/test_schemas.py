"""docs/schemas: complete, up to date, and strict where it should be."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from imagecheck.envelope import envelope
from release.cli import COMMANDS
from tools.schemas import FOLDER, schemas, texts

SMOKE: dict[str, Any] = {"account": None, "region": None, "url": "https://a.example", "steps": []}
ERROR: dict[str, Any] = {"code": "FAILED", "message": "no", "hint": None, "details": {}}


def test_the_committed_schemas_are_what_the_result_types_say() -> None:
    committed = {path: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert committed == dict(texts()), "docs/schemas is stale: run `make schemas`"
    assert {path.stem for path in committed} == {*COMMANDS, "lambda-image-check"}


@pytest.mark.parametrize("name", [*COMMANDS, "lambda-image-check"])
def test_each_is_a_valid_schema_with_keys_in_camel_case(name: str) -> None:
    schema = json.loads((FOLDER / f"{name}.json").read_bytes())
    Draft202012Validator.check_schema(schema)
    for result in schema["anyOf"]:
        for key in result.get("properties", {}):
            assert "_" not in key


def is_valid(document: dict[str, Any]) -> bool:
    return Draft202012Validator(schemas()["smoke"]).is_valid(document)


def printed(result: dict[str, Any], **frame: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(envelope("smoke", result, **frame))
    return found


def test_a_result_or_an_error_is_there() -> None:
    assert is_valid(printed(SMOKE, ok=True))
    assert is_valid(printed({}, ok=False, error=ERROR))
    assert is_valid(printed(SMOKE, ok=False, error=ERROR))
    assert not is_valid(printed({}, ok=True))
    assert not is_valid(printed({"url": "https://a.example"}, ok=True))


def test_a_command_with_an_error_is_not_ok() -> None:
    assert not is_valid(printed(SMOKE, ok=True, error=ERROR))


@pytest.mark.parametrize(
    "change", [{"version": 2}, {"command": "deploy"}, {"ok": None}, {"error": {"code": "FAILED"}}]
)
def test_another_frame_is_refused(change: dict[str, Any]) -> None:
    assert not is_valid({**printed(SMOKE, ok=False), **change})
