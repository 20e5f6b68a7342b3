"""E8 agrees with what AWS's runtime client does when it calls the handler."""

import json
from typing import Any

import pytest
from awslambdaric.bootstrap import handle_event_request
from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller

from imagecheck.start.python.code import Code, parse
from imagecheck.start.python.function import uncallable
from imagecheck.start.python.loaded import Loaded
from imagecheck.start.python.modules import Module
from imagecheck.start.python.path_changes import ProcessContext

HANDLERS = (
    "async def handler(event, context):\n    return {}\n",
    "async def handler(event, context):\n    yield {}\n",
    "def handler(event, context):\n    yield {}\n",
    "def handler():\n    return {}\n",
    "def handler(event):\n    return {}\n",
    "def handler(event, context, more):\n    return {}\n",
    "def handler(event, context, *, more):\n    return {}\n",
    "class handler:\n    pass\n",
    "class handler:\n    def __init__(self, event, context): ...\n",
    "handler = 'text'\n",
    "handler = {'a': 1}\n",
    "handler, other = (lambda event, context: {}, 1)\n",
    "def handler(event, context=None, more=1):\n    return {}\n",
    "def handler(*arguments, **more):\n    return {}\n",
    "handler = lambda event, context: {}\n",
)


class _Recording:
    """Stands for the Runtime API, and keeps what is posted to it."""

    marshaller = LambdaMarshaller()
    error_type = ""

    def post_invocation_error(self, _: str, error: str, *__: Any) -> None:
        self.error_type = json.loads(error)["errorType"]

    def post_invocation_result(self, *_: Any) -> None:
        """Nothing failed."""

    def log_error(self, *_: Any) -> None:
        """What it logs is not looked at."""


class _Alone:
    """A graph of one module."""

    def code(self, loaded: Loaded) -> object:
        return loaded.code


@pytest.mark.filterwarnings("ignore:coroutine")
@pytest.mark.parametrize("text", HANDLERS)
def test_a_call_fails_as_predicted(text: str) -> None:
    module = Module("app", "/app/app.py", is_text=True)
    code = parse(module, text.encode(), None, ProcessContext())
    assert isinstance(code, Code)
    predicted = uncallable(_Alone(), Loaded(module, is_own=True, code=code), "handler")  # type: ignore[arg-type]
    names: dict[str, Any] = {}
    exec(text, names)
    client = _Recording()

    handle_event_request(
        client, names["handler"], "1", "{}", "application/json", None, None, "", 0, "", client
    )

    assert (predicted.error_type if predicted else "") == client.error_type
