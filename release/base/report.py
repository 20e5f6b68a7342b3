"""What there is to say of a newer base: Markdown for a pull request, and JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from imagecheck.terminal import printable
from release.base.changes import Changes, Named, changes_between
from release.base.facts import Facts
from release.base.newer import Newer
from release.base.pinned import PinnedBase

_TITLES = {"python": "Python", "awslambdaric": "runtime client (awslambdaric)"}
_NONE = "-"


@dataclass(frozen=True)
class Answer:
    """What was found out."""

    base: PinnedBase
    newer: Newer
    now: Facts | None
    """None where nothing is newer."""
    before: Facts | None
    """None there, too, and where the registry does not have it any more."""
    written: bool
    """Whether the Dockerfile has the newer one now."""

    @cached_property
    def changes(self) -> Changes | None:
        """What differs, where both could be read."""
        return changes_between(self.before, self.now) if self.before and self.now else None


def as_markdown(answer: Answer) -> str:
    """Return what a person reads; one sentence where nothing is newer."""
    base, newer = answer.base, answer.newer
    if answer.now is None:
        moved = (
            f" (its index is another one, {newer.digest}, with the same image)"
            if newer.digest != base.digest
            else ""
        )
        return f"{base.name} is still {base.digest}: nothing is newer{moved}"
    lines = [
        f"A newer base for {newer.architecture}: {_code(base.name)}",
        "",
        "| | pinned | now |",
        "|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in _rows(answer, answer.now)),
        "",
        *(f"- {line}" for line in _items(answer.changes)),
    ]
    return "\n".join(lines)


def as_json(answer: Answer) -> str:
    """Return what ``--json`` prints.

    ``{"base", "architecture", "newer", "written", "pinned", "now", "changes"}``. ``pinned`` and
    ``now`` are ``{"digest", "image", "created", "compressedBytes", "versions"}``, where the digest
    is what the Dockerfile has or gets, and the image the manifest for the CPU; all but the digest
    may be null. ``changes`` is ``{"config", "variables", "labels", "scripts", "layersKept",
    "layersNew", "filesNew", "filesChanged", "filesGone"}``; it is null where nothing is newer, or
    what is pinned is not in its registry any more.
    """
    newer = answer.newer
    document = {
        "base": answer.base.name,
        "architecture": newer.architecture,
        "newer": newer.is_newer,
        "written": answer.written,
        "pinned": _side(answer.base.digest, newer.pinned_image, answer.before),
        "now": _side(newer.digest, newer.image, answer.now),
        "changes": answer.changes and _fields(answer.changes),
    }
    return json.dumps(document, indent=2)


def _rows(answer: Answer, now: Facts) -> Iterator[tuple[str, str, str]]:
    base, newer, before, changes = answer.base, answer.newer, answer.before, answer.changes
    yield "digest", _code(base.digest), _code(newer.digest)
    if newer.digest != newer.image:
        yield f"image for {newer.architecture}", _code(newer.pinned_image), _code(newer.image)
    yield "created", _code(before.created if before else None), _code(now.created)
    yield "size", _size(before), _size(now)
    versions = changes.versions if changes else {n: (None, v) for n, v in now.versions.items()}
    for name, (one, two) in versions.items():
        title = _TITLES.get(name, name)
        yield f"**{title}**" if changes and one != two else title, _code(one), _code(two)


def _items(changes: Changes | None) -> Iterator[str]:
    if changes is None:
        yield "What is pinned is not in its registry any more, so nothing more can be compared."
        return
    for name, (one, two) in changes.config.items():
        yield f"**{name}**: {_value(one)} → {_value(two)}"
    for path in changes.scripts:
        yield f"**{_code(path)}**, which starts the function, is another one"
    for title, named in (("Variables", changes.variables), ("Labels", changes.labels)):
        if named:
            yield f"{title}: {_names(named)}"
    yield f"Layers: {changes.layers_kept} kept, {changes.layers_new} new"
    files = changes.files
    yield (
        f"Files: {len(files.new):,} new, {len(files.changed):,} changed (by size, mode or kind),"
        f" {len(files.gone):,} gone"
    )


def _side(digest: str, image: str | None, facts: Facts | None) -> dict[str, Any]:
    return {
        "digest": digest,
        "image": image,
        "created": facts and facts.created,
        "compressedBytes": facts and facts.compressed_size,
        "versions": facts and dict(facts.versions),
    }


def _fields(changes: Changes) -> dict[str, Any]:
    return {
        "config": {name: list(pair) for name, pair in changes.config.items()},
        "variables": asdict(changes.variables),
        "labels": asdict(changes.labels),
        "scripts": changes.scripts,
        "layersKept": changes.layers_kept,
        "layersNew": changes.layers_new,
        "filesNew": len(changes.files.new),
        "filesChanged": len(changes.files.changed),
        "filesGone": len(changes.files.gone),
    }


def _names(named: Named) -> str:
    groups = (("new", named.new), ("changed", named.changed), ("gone", named.gone))
    return "; ".join(f"{what} {', '.join(map(_code, names))}" for what, names in groups if names)


def _size(facts: Facts | None) -> str:
    return f"{facts.compressed_size / 1024**2:,.1f} MiB" if facts else _NONE


def _value(value: Sequence[str] | str | None) -> str:
    return _code(json.dumps(value, ensure_ascii=False)) if value else "none"


def _code(text: str | None) -> str:
    """Show a text of an image as it is: neither a table nor Markdown obeys it."""
    if not text:
        return _NONE
    safe = printable(text).replace("`", "'").replace("|", "\\|")
    return f"`{safe}`"
