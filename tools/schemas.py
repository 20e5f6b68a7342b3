"""``python -m tools.schemas``: docs/schemas/, a JSON Schema for the ``--json`` of each command."""

import json
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import msgspec

from imagecheck.cli import NAME
from imagecheck.envelope import VERSION
from imagecheck.report.json_report import CheckResult
from release.cli import COMMANDS

FOLDER: Final = Path(__file__).parents[1] / "docs" / "schemas"
_REFERENCE: Final = "#/$defs/{name}"
_ERROR: Final[dict[str, Any]] = {
    "type": "object",
    "description": "Why the command did not succeed.",
    "properties": {
        "code": {"type": "string", "description": "The kind of error.", "pattern": "^[A-Z_]+$"},
        "message": {"type": "string", "description": "What is wrong."},
        "hint": {"type": ["string", "null"], "description": "What to do next."},
        "details": {"type": "object", "description": "Facts, by the kind of error."},
    },
    "required": ["code", "message", "hint", "details"],
    "additionalProperties": False,
}


def schemas() -> dict[str, dict[str, Any]]:
    """Return the schema of each command, by its name: JSON Schema 2020-12."""
    results = {name: _results(name) for name in COMMANDS} | {NAME: (CheckResult,)}
    return {name: schema(name, types) for name, types in results.items()}


def _results(command: str) -> Sequence[type[msgspec.Struct]]:
    module = import_module(f"release.commands.{command}")
    if not hasattr(module, "RESULTS"):
        raise SystemExit(f"release/commands/{command}.py has to list its result types as RESULTS")
    results: Sequence[type[msgspec.Struct]] = module.RESULTS
    return results


def schema(command: str, results: Sequence[type[msgspec.Struct]]) -> dict[str, Any]:
    """Return the schema of a command that prints one of these results, or an error."""
    references, definitions = msgspec.json.schema_components(results, ref_template=_REFERENCE)
    names = [reference["$ref"].rpartition("/")[2] for reference in references]
    found = [definitions.pop(name) for name in names]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{command} --json",
        "type": "object",
        "properties": {
            "version": {"const": VERSION, "description": "Of this frame."},
            "command": {"const": command},
            "ok": {"type": "boolean", "description": "Whether the exit status is 0."},
            "error": {"$ref": "#/$defs/Error"},
        },
        "required": ["version", "command", "ok"],
        "anyOf": [
            *(
                {key: one[key] for key in ("description", "properties", "required") if key in one}
                for one in found
            ),
            {"required": ["error"]},
        ],
        "if": {"required": ["error"]},
        "then": {"properties": {"ok": {"const": False}}},
        "$defs": {"Error": _ERROR, **definitions},
    }


def texts() -> Iterator[tuple[Path, str]]:
    """Yield each file with its content."""
    for name, found in schemas().items():
        yield FOLDER / f"{name}.json", json.dumps(found, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path, text in texts():
        path.write_text(text, encoding="utf-8")
