"""What a change does, for pipelines."""

import json

import msgspec

from release.changes.comment.headline import headline
from release.changes.model import Changes


def as_json(changes: Changes) -> str:
    """Return what ``--json`` prints: ``Changes`` as an object, with its ``headline`` in Markdown.

    Its texts are a stranger's, and nothing in them is escaped but what JSON has to.
    """
    document = {"headline": headline(changes), **msgspec.to_builtins(changes)}
    # In ASCII, nothing is left that a terminal would obey.
    return json.dumps(document, indent=2).replace("\x7f", "\\u007f")
