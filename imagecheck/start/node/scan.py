"""Finds, without parsing, what a module may ask for: more than it does, never less."""

import re
from collections.abc import Iterator

from imagecheck.start.node.module_kind import How

_ASKED = re.compile(
    rb"""\brequire(?:\.resolve)?\s*\(\s*["'`](?P<require>[^"'`\n]{1,300})["'`]"""
    rb"""|\b(?:from|import)\s*\(?\s*["'](?P<import>[^"'\n]{1,300})["']"""
)


def may_ask(text: bytes) -> Iterator[tuple[str, How]]:
    """Go through the modules that a text may ask for, each once for each way."""
    seen = set()
    for match in _ASKED.finditer(text):
        name, how = (
            (match["require"], "require") if match["require"] else (match["import"], "import")
        )
        if (name, how) not in seen:
            seen.add((name, how))
            yield name.decode("utf-8", "replace"), "require" if how == "require" else "import"
