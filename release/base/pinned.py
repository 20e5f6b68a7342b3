"""The base as the Dockerfile names it: a tag that says what is wanted, a digest that says which."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from imagecheck.dockerfile import base_of
from imagecheck.image.reference import RegistryReference, parse_reference
from release.errors import CannotDoError, RefusedError


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


def read_pinned_base(dockerfile: Path) -> PinnedBase:
    """Read which base a Dockerfile names.

    Raises:
        RefusedError: it names none, or one without tag or digest.
        CannotLookError: the file cannot be read.
        InvalidReferenceError: the name is not one of an image in a registry.

    """
    use = base_of(dockerfile)
    where = f"{dockerfile.parent.name}/{dockerfile.name}"
    if use is None:
        raise RefusedError(f"{where} builds on `scratch`: there is no base that could be newer")
    reference = parse_reference(f"docker://{use.image}")
    if isinstance(reference, RegistryReference) and reference.tag and reference.digest:
        return PinnedBase(
            dockerfile, reference.host, reference.repository, reference.tag, reference.digest
        )
    missing, why = (
        ("digest", "so any build may take another one")
        if use.digest is None
        else ("tag", "so nothing says which newer one is wanted")
    )
    raise RefusedError(
        f"{where}, line {use.line}: the base {use.image} has no {missing}, {why}: write both, as in"
        " `ARG BASE=public.ecr.aws/lambda/python:3.13-arm64@sha256:...`"
    )


def write_base(base: PinnedBase, digest: str) -> None:
    """Put another digest into the line that has the base's, and leave the rest as it is, or all.

    Raises:
        RefusedError: the digest is in no line of its own that could be changed.
        CannotDoError: the file cannot be written; it is as it was.

    """
    old, new = base.digest.encode(), digest.encode()
    path = base.dockerfile.resolve()
    temporary = path.with_suffix(".tmp")
    try:
        lines = path.read_bytes().splitlines(keepends=True)
        found = [
            number
            for number, line in enumerate(lines)
            if old in line and not line.lstrip().startswith(b"#")
        ]
        if len(found) != 1:
            raise RefusedError(
                f"{base.dockerfile.name} has the digest {base.digest} in {len(found)} lines:"
                f" write {digest} there by hand"
            )
        lines[found[0]] = lines[found[0]].replace(old, new)
        temporary.write_bytes(b"".join(lines))
        shutil.copymode(path, temporary)
        temporary.replace(path)
    except OSError as error:
        raise CannotDoError(
            f"{base.dockerfile} cannot be written: {error.strerror}; it is as it was"
        ) from None
    finally:
        temporary.unlink(missing_ok=True)
