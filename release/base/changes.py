"""What is another in a newer base."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imagecheck.comparison import FileChanges, changed_files
from imagecheck.function import split_variable
from release.base.facts import PACKAGES, Facts

VERSIONS = ("python", *PACKAGES, "glibc")
"""Of what, in the order in which it is told."""


@dataclass(frozen=True)
class Named:
    """What differs in variables or labels. Values can be secrets, so there are names alone."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    gone: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.new or self.changed or self.gone)


@dataclass(frozen=True)
class Changes:
    """What differs between two bases."""

    config: Mapping[str, tuple[Sequence[str] | str | None, Sequence[str] | str | None]]
    """By name as in a Dockerfile, before and after; what is the same is left out."""
    variables: Named
    labels: Named
    versions: Mapping[str, tuple[str | None, str | None]]
    """Before and after, also where they are the same; None: it is not there."""
    scripts: tuple[str, ...]
    """What starts the function, and is another one."""
    layers_kept: int
    layers_new: int
    files: FileChanges


def changes_between(old: Facts, new: Facts) -> Changes:
    """Compare two bases."""
    one, two = old.config, new.config
    config = {
        "ENTRYPOINT": (one.entrypoint, two.entrypoint),
        "CMD": (one.cmd, two.cmd),
        "WORKDIR": (one.working_dir, two.working_dir),
        "USER": (one.user, two.user),
    }
    kept = sum(layer in old.layers for layer in new.layers)
    return Changes(
        # An empty one is as none: https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md
        config={name: pair for name, pair in config.items() if (pair[0] or ()) != (pair[1] or ())},
        variables=_named(
            dict(map(split_variable, one.env or ())), dict(map(split_variable, two.env or ()))
        ),
        labels=_named(one.labels or {}, two.labels or {}),
        versions={
            name: (old.versions.get(name), new.versions.get(name))
            for name in VERSIONS
            if name in old.versions or name in new.versions
        },
        scripts=tuple(
            path
            for path in sorted(old.scripts.keys() | new.scripts.keys())
            if old.scripts.get(path) != new.scripts.get(path)
        ),
        layers_kept=kept,
        layers_new=len(new.layers) - kept,
        files=changed_files(old.files, new.files),
    )


def _named(old: Mapping[str, str], new: Mapping[str, str]) -> Named:
    return Named(
        new=tuple(sorted(new.keys() - old.keys())),
        changed=tuple(sorted(name for name in old.keys() & new.keys() if old[name] != new[name])),
        gone=tuple(sorted(old.keys() - new.keys())),
    )
