"""The base image that the Dockerfile names, by tag and digest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from config.file_lock import waiting_for_lock
from config.whole_file import write_whole
from imagecheck.dockerfile import base_of
from imagecheck.errors import FailedError
from imagecheck.function import Architecture
from imagecheck.image.reference import RegistryReference, parse_reference
from release.build.base_table import ARGUMENT, read_base_table
from release.build.record import BUILD
from release.errors import RefusedError


@dataclass(frozen=True)
class PinnedBase:
    """The base of a Dockerfile's last stage."""

    dockerfile: Path
    host: str
    repository: str
    tag: str
    digest: str

    @property
    def name(self) -> str:
        """Without its digest, as in the Dockerfile."""
        return f"{self.host}/{self.repository}:{self.tag}"

    @property
    def by_tag(self) -> RegistryReference:
        """What the tag stands for now."""
        return RegistryReference(self.host, self.repository, self.tag)

    def by(self, digest: str) -> RegistryReference:
        """Return one image of the repository."""
        return replace(self.by_tag, tag=None, digest=digest)


def read_pinned_bases(
    dockerfile: Path, architectures: Sequence[Architecture]
) -> dict[PinnedBase, Sequence[Architecture]]:
    """Read which bases a Dockerfile names, and for functions of which CPUs.

    ``architectures`` are those of the stages: what a Dockerfile with a single base is for.

    Raises as ``read_pinned_base`` does.
    """
    table = read_base_table(dockerfile)
    if not table:
        return {read_pinned_base(dockerfile): architectures}
    return {read_pinned_base(dockerfile, {ARGUMENT: base}): [cpu] for cpu, base in table.items()}


def read_pinned_base(
    dockerfile: Path, build_arguments: Mapping[str, str] | None = None
) -> PinnedBase:
    """Read which base a Dockerfile names.

    Raises:
        RefusedError: there is no base, or it has no tag or no digest.
        ImageReadError: the file cannot be read.
        InvalidReferenceError: the name is not one of an image in a registry.

    """
    use = base_of(dockerfile, build_arguments)
    where = f"{dockerfile.parent.name}/{dockerfile.name}"
    if use is None:
        raise RefusedError(f"{where} builds on `scratch`, so it has no base image")
    reference = parse_reference(f"docker://{use.image}")
    if isinstance(reference, RegistryReference) and reference.tag and reference.digest:
        return PinnedBase(
            dockerfile, reference.host, reference.repository, reference.tag, reference.digest
        )
    missing, why = (
        ("digest", "so each build may take another image")
        if use.digest is None
        else ("tag", "so there is no name under which a newer one is found")
    )
    raise RefusedError(
        f"{where}, line {use.line}: the base {use.image} has no {missing}, {why}",
        hint="write both, as in public.ecr.aws/lambda/python:3.13-arm64@sha256:...",
    )


def write_base(base: PinnedBase, digest: str) -> None:
    """Replace the base's digest in its line; on errors nothing is changed.

    Raises:
        RefusedError: not exactly one line has the digest.
        FailedError: the file cannot be written; it is unchanged.

    """
    old, new = base.digest.encode(), digest.encode()
    path, scratch = base.dockerfile, base.dockerfile.parents[1] / BUILD
    lock, by = scratch / f"{path.name}.lock", f"another release command that changes {path.name}"
    try:
        with waiting_for_lock(lock, by):
            lines = path.read_bytes().splitlines(keepends=True)
            found = [
                number
                for number, line in enumerate(lines)
                if old in line and not line.lstrip().startswith(b"#")
            ]
            if len(found) != 1:
                raise RefusedError(
                    f"{path.name} has the digest {base.digest} in {len(found)} lines",
                    hint=f"write {digest} there by hand",
                )
            lines[found[0]] = lines[found[0]].replace(old, new)
            write_whole(path, b"".join(lines), scratch=scratch)
    except OSError as error:
        raise FailedError(
            f"{path} cannot be written: {error.strerror or error}; it is unchanged"
        ) from error
