"""The JSON that a command prints, held against its schema in docs/schemas."""

import json
from typing import Any

from jsonschema import Draft202012Validator

from tools.schemas import FOLDER


def parse_output(text: str) -> dict[str, Any]:
    """Return the object that a command has printed with ``--json``, which its schema allows."""
    document: dict[str, Any] = json.loads(text)
    schema = json.loads((FOLDER / f"{document['command']}.json").read_bytes())
    Draft202012Validator(schema).validate(document)
    known = set(schema["properties"]).union(*(one.get("properties", ()) for one in schema["anyOf"]))
    assert set(document) <= known, set(document) - known
    return document
