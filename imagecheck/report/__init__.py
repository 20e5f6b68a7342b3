"""The answer of a check in its formats, for people and for pipelines."""

from imagecheck.report.github import as_github
from imagecheck.report.json_report import as_json
from imagecheck.report.locations import ProjectFiles
from imagecheck.report.sarif import as_sarif
from imagecheck.report.text import as_text

__all__ = ["ProjectFiles", "as_github", "as_json", "as_sarif", "as_text"]
