"""E8: each call of the handler fails."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import HANDLER, Case, E, app, python
from tests.support.imagecheck.images import File

_MARSHAL_ERROR = "Runtime.MarshalError"


def _bad(name: str, error_type: str, text: str, *members: File) -> Case:
    """Make a case that starts well, so that what is started tells nothing of it."""
    return Case(
        name=f"e8-{name}",
        make=python(*app(text, *members)),
        findings={"E8": E},
        error_type=error_type,
        is_started=True,
    )


CASES = (
    _bad("async", _MARSHAL_ERROR, "async def handler(event, context):\n    return {}\n"),
    _bad("generator", _MARSHAL_ERROR, "def handler(event, context):\n    yield {}\n"),
    _bad("async-generator", _MARSHAL_ERROR, "async def handler(event, context):\n    yield 1\n"),
    _bad("no-argument", "TypeError", "def handler():\n    return {}\n"),
    _bad("one-argument", "TypeError", "def handler(event):\n    return {}\n"),
    _bad("three-arguments", "TypeError", "def handler(event, context, more):\n    return {}\n"),
    _bad("needs-a-keyword", "TypeError", "def handler(event, context, *, more):\n    return {}\n"),
    _bad("method-of-a-class", "TypeError", "class handler:\n    def run(self): ...\n"),
    _bad("class", _MARSHAL_ERROR, "class handler:\n    def __init__(self, e, c): ...\n"),
    _bad("text", "TypeError", "handler = 'app'\n"),
    _bad(
        "async-of-another-module",
        _MARSHAL_ERROR,
        "from store import answer as handler\n",
        File("var/task/store.py", "async def answer(event, context):\n    return {}\n"),
    ),
    *(
        Case(name=f"e8-good-{name}", make=python(*app(text)), is_started=True)
        for name, text in (
            ("defaults", "def handler(event, context=None, more=1):\n    return {}\n"),
            ("any-arguments", "def handler(*arguments):\n    return {}\n"),
            ("positional", "def handler(event, context, /, **more):\n    return {}\n"),
            (
                "decorated",
                "import asyncio, functools\n\n\n"
                "def run(function):\n    @functools.wraps(function)\n"
                "    def call(event, context):\n        return asyncio.run(function(event))\n"
                "    return call\n\n\n@run\nasync def handler(event):\n    return {}\n",
            ),
            ("lambda", "handler = lambda event, context: {}\n"),
            (
                "object",
                "class Handler:\n    def __call__(self, event, context):\n        return {}\n"
                "\n\nhandler = Handler()\n",
            ),
            (
                "rebound",
                "async def handler(event, context): ...\n\n\ntry:\n    raise ValueError\n"
                "except ValueError:\n    def handler(event, context):\n        return {}\n",
            ),
            (
                "nested-generator",
                "def handler(event, context):\n    def inner():\n        yield 1\n"
                "    return list(inner())\n",
            ),
            ("json", HANDLER),
        )
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_e8(case: Case, finds: Finds) -> None:
    finds(case)
