"""Expressions of GitHub's workflows, evaluated by GitHub's own library."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.support.cdk_context import ROOT

_INTERPOLATED: Final = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_ASKS_STATUS: Final = re.compile(r"\b(success|failure|cancelled|always)\s*\(")


class ExpressionError(Exception):
    """GitHub would refuse the expression."""


@dataclass(frozen=True)
class Status:
    """How what comes before has gone."""

    failed: bool = False
    cancelled: bool = False
    skipped: bool = False
    """Of the jobs before: one that was skipped is no failure, and no success either."""

    @property
    def functions(self) -> dict[str, bool]:
        """What the functions of this name answer."""
        return {
            "success": not self.failed and not self.cancelled and not self.skipped,
            "failure": self.failed and not self.cancelled,
            "cancelled": self.cancelled,
            "always": True,
        }


class Expressions:
    """The library, in a process of its own; see ``expressions``."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def interpolated(self, text: str, contexts: Mapping[str, Any]) -> str:
        """Return a text with its ``${{ }}`` replaced."""
        return _INTERPOLATED.sub(lambda found: self._ask(found[1], contexts)["text"], text)

    def holds(
        self, condition: str | bool | None, contexts: Mapping[str, Any], status: Status
    ) -> bool:
        """Answer an ``if``: without a function that asks for it, everything has to be well."""
        if condition is None:
            return status.functions["success"]
        # YAML has made a boolean of `true` that has no brackets around it.
        text = json.dumps(condition) if isinstance(condition, bool) else condition.strip()
        whole = _INTERPOLATED.fullmatch(text)
        expression = whole[1] if whole else text
        if not _ASKS_STATUS.search(expression):
            expression = f"success() && ({expression})"
        value = self._ask(expression, contexts, status)["value"]
        return bool(value)

    def _ask(
        self, expression: str, contexts: Mapping[str, Any], status: Status = Status()
    ) -> dict[str, Any]:
        question = {
            "expression": expression.strip(),
            "contexts": contexts,
            "status": status.functions,
        }
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise ExpressionError(f"{expression}: {answer['error']}")
        return answer


@contextmanager
def expressions() -> Iterator[Expressions]:
    """Start the library: half a second once, and nothing for each expression."""
    script = Path(__file__).with_suffix(".mjs")
    with subprocess.Popen(
        [Path(sys.executable).with_name("node"), script],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Expressions(process)
        assert process.stdin
        process.stdin.close()
