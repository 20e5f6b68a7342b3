"""The report on a newer base: Markdown for a pull request, and JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec

from imagecheck.terminal import printable
from release.base.changes import BaseChanges, ConfigValue, Named, changes_between
from release.base.facts import BaseFacts
from release.base.newer import Newer
from release.base.pinned import PinnedBase

_TITLES = {"python": "Python", "awslambdaric": "runtime client (awslambdaric)"}
_NONE = "-"


@dataclass(frozen=True)
class BaseUpdate:
    """The pinned base, and the newer one where there is one."""

    base: PinnedBase
    newer: Newer
    now: BaseFacts | None
    """None where nothing is newer."""
    before: BaseFacts | None
    """None there, too, and where the registry does not have it any more."""
    written: bool
    """Whether the Dockerfile has the newer one now."""

    @cached_property
    def changes(self) -> BaseChanges | None:
        """What differs, where both could be read."""
        return changes_between(self.before, self.now) if self.before and self.now else None


def as_markdown(update: BaseUpdate) -> str:
    """Return the report for people; one sentence where there is no newer image."""
    base, newer = update.base, update.newer
    if update.now is None:
        moved = (
            f" (the tag has a new index, {newer.digest}, with the same image)"
            if newer.digest != base.digest
            else ""
        )
        return f"{base.name} is still {base.digest}: there is no newer image{moved}"
    lines = [
        f"A newer base for {newer.architecture}: {_code(base.name)}",
        "",
        "| | pinned | now |",
        "|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in _rows(update, update.now)),
        "",
        *(f"- {line}" for line in _items(update.changes)),
    ]
    return "\n".join(lines)


class BaseImage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The base that is pinned, or the one that its tag stands for now.

    The last three are null where nothing is newer, or the registry does not have the image.
    """

    digest: str
    """As the Dockerfile has it, or would have it."""
    image: str | None
    """The digest of the manifest for the CPU."""
    created: str | None
    compressed_bytes: int | None
    versions: Mapping[str, str] | None


class BaseDifferences(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What differs between two bases. Pairs are before and after."""

    config: Mapping[str, tuple[ConfigValue, ConfigValue]]
    variables: Named
    labels: Named
    scripts: tuple[str, ...]
    layers_kept: int
    layers_new: int
    files_new: int
    files_changed: int
    files_gone: int


class BaseResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The base for a CPU, and what its tag stands for now."""

    base: str
    """The name in the Dockerfile, without its digest."""
    architecture: str
    newer: bool
    written: bool
    """Whether the Dockerfile has the newer one now."""
    pinned: BaseImage
    now: BaseImage
    changes: BaseDifferences | None
    """None where nothing is newer, or the registry does not have what is pinned any more."""


class BasesResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What ``base --json`` prints: the base for each CPU."""

    bases: tuple[BaseResult, ...]


def result_of(update: BaseUpdate) -> BaseResult:
    """Return the update as data."""
    newer = update.newer
    return BaseResult(
        base=update.base.name,
        architecture=newer.architecture,
        newer=newer.is_newer,
        written=update.written,
        pinned=_image(update.base.digest, newer.pinned_image, update.before),
        now=_image(newer.digest, newer.image, update.now),
        changes=_differences(update.changes) if update.changes else None,
    )


def _rows(update: BaseUpdate, now: BaseFacts) -> Iterator[tuple[str, str, str]]:
    base, newer, before, changes = update.base, update.newer, update.before, update.changes
    yield "digest", _code(base.digest), _code(newer.digest)
    if newer.digest != newer.image:
        yield f"image for {newer.architecture}", _code(newer.pinned_image), _code(newer.image)
    yield "created", _code(before.created if before else None), _code(now.created)
    yield "size", _size(before), _size(now)
    versions = changes.versions if changes else {n: (None, v) for n, v in now.versions.items()}
    for name, (one, two) in versions.items():
        title = _TITLES.get(name, name)
        yield f"**{title}**" if changes and one != two else title, _code(one), _code(two)


def _items(changes: BaseChanges | None) -> Iterator[str]:
    if changes is None:
        yield "The pinned image is no longer in its registry, so nothing more can be compared."
        return
    for name, (one, two) in changes.config.items():
        yield f"**{name}**: {_value(one)} → {_value(two)}"
    for path in changes.scripts:
        yield f"**{_code(path)}**, which starts the function, has changed"
    for title, named in (("Variables", changes.variables), ("Labels", changes.labels)):
        if named:
            yield f"{title}: {_names(named)}"
    yield f"Layers: {changes.layers_kept} kept, {changes.layers_new} new"
    files = changes.files
    yield (
        f"Files: {len(files.new):,} new, {len(files.changed):,} changed (by size, mode or kind),"
        f" {len(files.gone):,} gone"
    )


def _image(digest: str, image: str | None, facts: BaseFacts | None) -> BaseImage:
    return BaseImage(
        digest=digest,
        image=image,
        created=facts.created if facts else None,
        compressed_bytes=facts.compressed_size if facts else None,
        versions=facts.versions if facts else None,
    )


def _differences(changes: BaseChanges) -> BaseDifferences:
    return BaseDifferences(
        config=changes.config,
        variables=changes.variables,
        labels=changes.labels,
        scripts=changes.scripts,
        layers_kept=changes.layers_kept,
        layers_new=changes.layers_new,
        files_new=len(changes.files.new),
        files_changed=len(changes.files.changed),
        files_gone=len(changes.files.gone),
    )


def _names(named: Named) -> str:
    groups = (("new", named.new), ("changed", named.changed), ("gone", named.gone))
    return "; ".join(f"{what} {', '.join(map(_code, names))}" for what, names in groups if names)


def _size(facts: BaseFacts | None) -> str:
    return f"{facts.compressed_size / 1024**2:,.1f} MiB" if facts else _NONE


def _value(value: Sequence[str] | str | None) -> str:
    return _code(json.dumps(value, ensure_ascii=False)) if value else "none"


def _code(text: str | None) -> str:
    """Return a text of an image as code, in which neither tables nor Markdown have an effect."""
    if not text:
        return _NONE
    safe = printable(text).replace("`", "'").replace("|", "\\|")
    return f"`{safe}`"
