"""Parser directives, as BuildKit reads them: what counts, and what is only a comment."""

import pytest

from imagecheck.directives import Syntax, escape_of, syntax_of

BACKSLASH, BACKTICK = "\\", "`"


@pytest.mark.parametrize(
    ("text", "escape"),
    [
        ("", BACKSLASH),
        ("FROM a", BACKSLASH),
        ("# escape=`\nFROM a", BACKTICK),
        ("# escape=\\\nFROM a", BACKSLASH),
        ("#escape=`", BACKTICK),
        ("# EsCaPe = `  ", BACKTICK),
        ("#\tescape\t=\t`\t", BACKTICK),
        ("  # escape=`", BACKTICK),
        ("# syntax=docker/dockerfile:1 more\n# check=skip=all;error=true\n# escape=`", BACKTICK),
        # The file has another character, and a builder ends with an error.
        ("# escape=x", BACKSLASH),
        ("# escape=``", BACKSLASH),
        # All of these are comments, and so is what comes after one.
        ("# a comment\n# escape=`", BACKSLASH),
        ("#\n# escape=`", BACKSLASH),
        ("\n# escape=`", BACKSLASH),
        ("# unknown=1\n# escape=`", BACKSLASH),
        ("# escape:`", BACKSLASH),
        ("# escape=", BACKSLASH),
        ("# esc\\\nape=`", BACKSLASH),
        ("# 1escape=`", BACKSLASH),
        ("FROM a\n# escape=`", BACKSLASH),
        ("// escape=`", BACKSLASH),
        ("#!/usr/bin/env docker\n# escape=`", BACKSLASH),
        # The second of a name is an error of the builder.
        ("# escape=\\\n# escape=`", BACKSLASH),
    ],
)
def test_the_escape_character(text: str, escape: str) -> None:
    assert escape_of(text) == escape


@pytest.mark.parametrize(
    ("text", "syntax"),
    [
        ("FROM a", None),
        ("# syntax=docker/dockerfile:1\nFROM a", Syntax(1, "docker/dockerfile:1")),
        ("#SYNTAX = docker/dockerfile:1  ", Syntax(1, "docker/dockerfile:1")),
        ("# syntax=example.org/f:1 --option", Syntax(1, "example.org/f:1")),
        ("# escape=`\n# check=error=true\n# syntax=f:1", Syntax(3, "f:1")),
        ("#!/usr/bin/env docker\n# syntax=f:1", Syntax(2, "f:1")),
        ("// syntax=f:1\nanything", Syntax(1, "f:1")),
        ("# syntax=f:1\n# syntax=g:1", Syntax(1, "f:1")),
        ("  # syntax=f:1", None),
        ("# a comment\n# syntax=f:1", None),
        ("# unknown=1\n# syntax=f:1", None),
        ("\n# syntax=f:1", None),
        ("FROM a\n# syntax=f:1", None),
    ],
)
def test_the_frontend(text: str, syntax: Syntax | None) -> None:
    assert syntax_of(text) == syntax
