"""The check before a deployment that no image in use is missing, or can be deleted.

A5: a lifecycle rule takes an image away that a version still uses, and days later every invocation
fails. A6: a deployment fails, CloudFormation goes back to the image before, and that has gone.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from config.project import Stage
from imagecheck.image.aws import aws_errors
from release.errors import RefusedError
from release.registry.lifecycle import (
    KEPT_IMAGES,
    Danger,
    endangered,
    keeps_many,
    put_lifecycle_policy,
)
from release.registry.repository import StageRepository, StoredImage

_LATEST = "$LATEST"
_ALIAS = "live"
_AT_ONCE = 8
_NO_WAY_BACK = (
    "should a deployment fail, CloudFormation could not go back to it. If it cannot be had again,"
    " deploy with --skip-lifecycle"
)


@dataclass(frozen=True)
class Use:
    """Who uses an image."""

    by: tuple[str, ...]
    """The lock file, or versions of the function."""
    is_needed: bool
    """Whether something breaks as soon as the image is gone: it is to be deployed, is live, or is
    what CloudFormation goes back to."""

    def __str__(self) -> str:
        """As in ``used by the lock file, version 7 (live)``."""
        return "used by " + ", ".join(self.by)


def guard(stage: Stage, digests: Iterable[str]) -> tuple[str, ...]:
    """Require that what is used is there, and that no lifecycle rule can ever take it away.

    What is used: the images given, which are those that the lock file has for this repository and
    are to be deployed, and the images of all versions of the stage's function. It is a matter of
    warnings only, which are returned, when an image has gone that old versions alone use.

    Raises:
        RefusedError: an image that is needed is not there, or a rule can take one away.
        FailedError: AWS cannot be asked.

    """
    repository = StageRepository(stage)
    pinned = frozenset(digests)
    used, warnings = _uses(stage, repository, pinned)
    images = {digest: repository.image(digest) for digest in used}
    refusals: list[str] = []
    for digest, use in used.items():
        problem = repository.problem(digest, images[digest])
        if problem and use.is_needed:
            beyond = "" if digest in pinned else f"; {_NO_WAY_BACK}"
            refusals.append(f"{problem.message} ({use}): {problem.hint}{beyond}")
        elif problem:
            warnings.append(
                f"{digest} is no longer in {repository.uri} for Lambda to fetch ({use})"
            )
    dangers = _dangers(stage, repository, pinned, used, images)
    refusals += [
        f"{digest}, {used[digest]}: {danger} from {repository.uri}: {danger.limit}"
        for digest, danger in dangers.items()
    ]
    if dangers:
        refusals.append(
            "change the lifecycle policy so that no rule fits these images, or so that the first"
            f" rule for tags deployed-* keeps the newest {KEPT_IMAGES} or more: no later rule can"
            " take what it fits. Where the policy was changed by hand, CloudFormation sees no"
            " change, so put back what constructs/image_repository.py has:"
            f" `{put_lifecycle_policy(stage)}`"
        )
    if refusals:
        raise RefusedError("\n  ".join(("images that are in use are not safe:", *refusals)))
    return tuple(warnings)


def _dangers(
    stage: Stage,
    repository: StageRepository,
    pinned: frozenset[str],
    used: Mapping[str, Use],
    images: Mapping[str, StoredImage | None],
) -> dict[str, Danger]:
    tags = {
        digest: _tags(stage, image, to_be_deployed=digest in pinned)
        for digest, image in images.items()
        if image
    }
    policy = repository.lifecycle_policy()
    needed = {digest: tags[digest] for digest in tags if used[digest].is_needed}
    stored = repository.stored() if needed and keeps_many(policy) else ()
    # A rule that keeps many lets old versions go in the end, and is meant to.
    old = {digest: tags[digest] for digest in tags if digest not in needed}
    return endangered(policy, needed, stored) | endangered(policy, old)


def _tags(stage: Stage, image: StoredImage, *, to_be_deployed: bool) -> frozenset[str]:
    """Return the tags that an image has, or will have."""
    deployed = stage.names.deployed_tag(image.digest)
    return image.tags | {deployed} if to_be_deployed else image.tags


def _uses(
    stage: Stage, repository: StageRepository, pinned: frozenset[str]
) -> tuple[dict[str, Use], list[str]]:
    """Find all who use images of the repository, and warn of those who use others."""
    found: dict[str, list[tuple[str, bool]]] = {
        digest: [("the lock file", True)] for digest in sorted(pinned)
    }
    warnings = []
    for version, (uri, is_live) in _images_of_versions(stage).items():
        place, at, digest = uri.partition("@")
        name = "the function as it is now" if version == _LATEST else f"version {version}"
        name += " (live)" if is_live else ""
        if place != repository.uri or not at:
            warnings.append(f"{name} runs an image of another repository, unseen here: {uri}")
            continue
        found.setdefault(digest, []).append((name, is_live or version == _LATEST))
    uses = {
        digest: Use(tuple(name for name, _ in by), any(needed for _, needed in by))
        for digest, by in found.items()
    }
    return uses, warnings


def _images_of_versions(stage: Stage) -> Mapping[str, tuple[str, bool]]:
    """Return the URI of each version's image, and whether the version is live.

    A function that is not there yet has none, and neither has one that is a zip.
    """
    name = stage.names.function
    client = stage.client("lambda")
    with aws_errors(f"the function {name}"):
        try:
            pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=name)
            versions = [str(version["Version"]) for page in pages for version in page["Versions"]]
        except client.exceptions.ResourceNotFoundException:
            return {}
        live = _live_versions(client, name)

        def image(version: str) -> str | None:
            try:
                answer = client.get_function(FunctionName=name, Qualifier=version)
            except client.exceptions.ResourceNotFoundException:
                return None  # deleted since it was listed
            uri = answer["Code"].get("ResolvedImageUri")
            return str(uri) if uri else None

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            uris = list(pool.map(image, versions))
    return {
        version: (uri, version in live)
        for version, uri in zip(versions, uris, strict=True)
        if uri is not None
    }


def _live_versions(client: Any, name: str) -> frozenset[str]:
    """Return the versions that the alias sends requests to: two of them during a deployment."""
    try:
        alias = client.get_alias(FunctionName=name, Name=_ALIAS)
    except client.exceptions.ResourceNotFoundException:
        return frozenset()
    weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return frozenset({str(alias["FunctionVersion"]), *weights})
