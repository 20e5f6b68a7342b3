"""A java command: its words, its agents, and the version of Java that reads them.

https://docs.oracle.com/en/java/javase/21/docs/specs/man/java.html
"""

import posixpath
import re
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from imagecheck.image.layer import FileKind
from imagecheck.start.options import java_program

if TYPE_CHECKING:
    from imagecheck.start.launch import Process
    from imagecheck.subject import Subject

_ADDED_OPTIONS: Final = "JDK_JAVA_OPTIONS"
"""The variable with options that the command ``java`` puts before its own, since Java 9."""
_FIRST_WITH_ADDED_OPTIONS: Final = 9
_VARIABLES: Final = ("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS")
"""Those with options that every Java reads."""
_AGENT: Final = "-javaagent:"
_NATIVE_AGENT: Final = "-agentpath:"
_VERSION: Final = re.compile(rb'^JAVA_VERSION="(?:1\.)?(\d+)', re.MULTILINE)
_MAX_RELEASE_BYTES: Final = 64 * 1024


def java_version(subject: "Subject", program: str) -> int | None:
    """Return the version, such as 21, of the Java that a program belongs to, by its path.

    None where its home has no file ``release`` that says it. Raises ImageReadError.
    """
    assert subject.files  # noqa: S101  (the caller has looked)
    home = posixpath.dirname(posixpath.dirname(program))
    # Java 8 also has its program in a folder jre of its home.
    for folder in (home, posixpath.dirname(home)):
        node = subject.files.find(posixpath.join(folder, "release"))
        if node and node.kind is FileKind.FILE and node.entry.size <= _MAX_RELEASE_BYTES:
            version = _VERSION.search(subject.contents([node])[node.path])
            return int(version[1]) if version else None
    return None


def java_words(subject: "Subject", process: "Process") -> tuple[str, ...] | None:
    """Return the words of a java command, with those of ``@file`` and of the environment.

    None where they are not known. Raises ImageReadError.
    """
    assert subject.files  # noqa: S101  (the caller has looked)
    added = _added(subject, process)
    if added is None:
        return None
    words: list[str] = [process.words[0]]
    for word in (*added, *process.words[1:]):
        if not word.startswith("@") or len(word) == 1:
            words.append(word)
            continue
        node = subject.files.find(posixpath.join(process.workdir, word[1:]))
        if not node or node.kind is not FileKind.FILE:
            return None
        text = subject.contents([node])[node.path].decode("utf-8", "replace")
        inner = split_options(text, comment="#")
        if inner is None:
            return None
        words += inner
    return tuple(words)


def _added(subject: "Subject", process: "Process") -> list[str] | None:
    """Return the options that are put before the command's own; None where they are not known."""
    text = process.environment.get(_ADDED_OPTIONS)
    if not text:
        return []
    program = process.chain.program
    java = java_version(subject, program.path) if program else None
    if java is None:
        return None
    return split_options(text) if java >= _FIRST_WITH_ADDED_OPTIONS else []


class Agent(NamedTuple):
    """What Java loads before it starts a class."""

    path: str
    variable: str
    """The variable that names it; empty where the command does."""
    is_native: bool
    """Whether it is a shared library, and not a jar."""


def java_agents(subject: "Subject", process: "Process", program: str) -> Iterator[Agent]:
    """Find the agents that options name.

    ``program`` is the path of ``java``, which the process is, or will be. Raises ImageReadError.
    """
    for variable, option in _options(subject, process, program):
        for prefix in (_AGENT, _NATIVE_AGENT):
            if option.startswith(prefix):
                path = option.removeprefix(prefix).partition("=")[0]
                path = posixpath.join(process.workdir, path)
                yield Agent(path, variable, is_native=prefix == _NATIVE_AGENT)


def _options(subject: "Subject", process: "Process", program: str) -> Iterator[tuple[str, str]]:
    """Yield each option that is known, and the variable that it stands in."""
    is_started_here = process.chain.program and process.chain.program.path == program
    words = java_words(subject, process) if is_started_here else None
    if words:
        *_, arguments = java_program(words)
        yield from (("", word) for word in words[: len(words) - len(arguments)])
    elif process.environment.get(_ADDED_OPTIONS):
        java = java_version(subject, program)
        if java is None or java >= _FIRST_WITH_ADDED_OPTIONS:
            yield from _of_variable(process, _ADDED_OPTIONS)
    for variable in _VARIABLES:
        yield from _of_variable(process, variable)


def _of_variable(process: "Process", variable: str) -> Iterator[tuple[str, str]]:
    for option in split_options(process.environment.get(variable, "")) or ():
        yield variable, option


def split_options(text: str, comment: str = "") -> list[str] | None:
    """Split options as Java does; None where a quote is not closed.

    ``comment`` is what begins a comment: nothing in a variable, ``#`` in a file.
    """
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace_split = True
    lexer.commenters = comment
    try:
        return list(lexer)
    except ValueError:
        return None
