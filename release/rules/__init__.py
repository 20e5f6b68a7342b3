"""The rules: one file for each section of the table of failures, one function for a row or two.

A rule takes a subject and says what it finds. It raises CannotLookError when a file of the image
that it needs cannot be read.
"""

from collections.abc import Callable, Iterator

from release.finding import Finding
from release.rules import (
    drift,
    extensions,
    handler,
    manifest,
    process,
    reference,
    spawn,
    template,
)
from release.subject import Subject

Rule = Callable[[Subject], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    *reference.RULES,
    *manifest.RULES,
    *spawn.RULES,
    *extensions.RULES,
    *process.RULES,
    *handler.RULES,
    *template.RULES,
    *drift.RULES,
)
"""In the order in which a failure of one makes those of the next unlikely to be reached."""
