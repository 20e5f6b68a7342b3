"""The differences between two base images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imagecheck.comparison import FileChanges, changed_files
from imagecheck.function import split_variable
from release.base.facts import PACKAGES, BaseFacts

VERSIONS = ("python", *PACKAGES, "glibc")
"""The names of what has a version, in the order of the report."""


ConfigValue = Sequence[str] | str | None
"""What an image's configuration says of one thing, such as its entrypoint."""


@dataclass(frozen=True)
class Named:
    """Names of variables or labels that differ. Values can be secrets, so they are left out."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    gone: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.new or self.changed or self.gone)


@dataclass(frozen=True)
class BaseChanges:
    """The differences between two bases."""

    config: Mapping[str, tuple[ConfigValue, ConfigValue]]
    """By name as in a Dockerfile, before and after; what is the same is left out."""
    variables: Named
    labels: Named
    versions: Mapping[str, tuple[str | None, str | None]]
    """Before and after, also where they are the same; None: it is not there."""
    scripts: tuple[str, ...]
    """The paths of scripts that start the function and differ."""
    layers_kept: int
    layers_new: int
    files: FileChanges


def changes_between(old: BaseFacts, new: BaseFacts) -> BaseChanges:
    """Compare two bases."""
    one, two = old.config, new.config
    config = {
        "ENTRYPOINT": (one.entrypoint, two.entrypoint),
        "CMD": (one.cmd, two.cmd),
        "WORKDIR": (one.working_dir, two.working_dir),
        "USER": (one.user, two.user),
    }
    kept = sum(layer in old.layers for layer in new.layers)
    return BaseChanges(
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
