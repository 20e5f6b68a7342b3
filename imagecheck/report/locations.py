"""The file and line beside which a finding is shown."""

import os
from dataclasses import dataclass
from pathlib import Path

from imagecheck.check import Report
from imagecheck.finding import Finding

_OF_THE_TEMPLATE = "AG"
"""Sections whose findings are fixed in the template, where there is one."""


@dataclass(frozen=True)
class Location:
    """A file, and a line of it."""

    path: str
    """Relative to the working directory where it is below it, with ``/`` on every system."""
    line: int = 1
    is_file: bool = True
    """Whether it is a file of the project; else it is the name of the image."""


@dataclass(frozen=True)
class ProjectFiles:
    """The files that are at hand."""

    dockerfile: Path | None = None
    template: Path | None = None

    def of(self, finding: Finding, report: Report) -> Location:
        """Return where a finding is shown: always somewhere, since code scanning demands it."""
        first, second = self.dockerfile, self.template
        if finding.rule[0] in _OF_THE_TEMPLATE:
            first, second = second, first
        path = first or second
        if path is None:
            return Location(str(report.subject.image.reference), is_file=False)
        return Location(_relative(path), (finding.line or 1) if path == self.dockerfile else 1)


def _relative(path: Path) -> str:
    absolute = Path(os.path.abspath(path))  # noqa: PTH100  (symlinks stay as they were written)
    here = Path.cwd()
    return (absolute.relative_to(here) if absolute.is_relative_to(here) else absolute).as_posix()
