"""Modules that Node loads before all others: ``--require``, ``--import`` and ``NODE_OPTIONS``.

https://nodejs.org/api/cli.html#-r---require-module
"""

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from imagecheck.image.filesystem import Node
from imagecheck.rule import EXIT_ERROR
from imagecheck.start.handler_problem import HandlerProblem, handler_problem
from imagecheck.start.node.graph import Walk
from imagecheck.start.node.module_kind import How
from imagecheck.start.node.resolve import Missing
from imagecheck.start.options import node_options
from imagecheck.start.shell.state import UNKNOWN

if TYPE_CHECKING:
    from imagecheck.start.launch import Process

_OPTIONS: Final[dict[str, How]] = {
    "-r": "require",
    "--require": "require",
    "--import": "import",
    "--loader": "import",
    "--experimental-loader": "import",
}
_ENV_FILE: Final = "--env-file"
_AT_RUN_TIME: Final = ("/tmp/", "/mnt/", "data:")  # noqa: S108


def missing_preloads(
    walk: Walk, process: "Process", *, is_on_aws_base: bool = False
) -> Iterator[HandlerProblem]:
    """Report what Node is to load first and does not find. It ends before anything else runs."""
    words = [
        *process.environment.get("NODE_OPTIONS", "").split(),
        *(() if is_on_aws_base else node_options(process.words)),
    ]
    for number, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option not in {*_OPTIONS, _ENV_FILE}:
            continue
        name = value if equals else (words[number + 1] if number + 1 < len(words) else "")
        is_at_hand = not name.removeprefix("file://").startswith(_AT_RUN_TIME)
        if not name or not is_at_hand or UNKNOWN in name or set("\"'\\") & set(name):
            continue
        if option == _ENV_FILE:
            path = posixpath.normpath(posixpath.join(process.workdir or "/", name))
            if not walk.loader.context.files.find(path):
                text = f"node is started with {option}={name}, and there is no {path}"
                fix = "copy it into the image, or say --env-file-if-exists"
                yield handler_problem("E2", f"{text}; exit status 9", fix, error_type=EXIT_ERROR)
            continue
        found = walk.loader.resolve(name, process.workdir or "/", _OPTIONS[option])
        if isinstance(found, Missing):
            text = f"node is started with {option} {name}: {found.text}; exit status 1"
            fix = "copy it into the image or install it there, or take the option away"
            yield handler_problem("E2", text, fix, error_type=EXIT_ERROR)
        elif isinstance(found, Node):
            walk.from_module(found, _OPTIONS[option])
