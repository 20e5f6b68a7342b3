"""Where the story takes place: an account, a registry, base images, and a person's checkout."""

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.cloud import Cloud, emulated_cloud
from local.docker_registry import running_registry
from stacks.names import StageNames
from tests.imagecheck.programs import HOST, OTHER_MACHINE
from tests.imagecheck.tools import skopeo_copy
from tests.incident.broken import DOCKERFILE, Bases
from tests.incident.checkout import Checkout
from tests.release.stand_in_base import push_base

STAGE: Final = "dev"
NAMES: Final = StageNames(STAGE)
_ARCHITECTURE: Final = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]


@dataclass(frozen=True, kw_only=True)
class World:
    """All that there is."""

    cloud: Cloud
    registry: str
    """HOST:PORT of the registry behind the account's ECR; the bases are in it, too."""
    bases: Bases
    checkout: Checkout
    first_commit: str
    """The checkout as it is with everything right."""

    @property
    def live(self) -> tuple[str, str]:
        """The version that the alias ``live`` leads to, and the digest of its image."""
        function = self.cloud.client("lambda").get_function(
            FunctionName=NAMES.function, Qualifier="live"
        )
        digest = function["Code"]["ResolvedImageUri"].partition("@")[2]
        return function["Configuration"]["Version"], digest

    def pull_afresh(self) -> None:
        """Let the floating tag lead to a base for another CPU."""
        other = push_base(self.registry, machine=OTHER_MACHINE)
        _tag(other, self.bases.floating)


@contextmanager
def world(folder: Path, log: Path) -> Iterator[World]:
    """Begin with an empty account, and a checkout for this machine's CPU and base image."""
    with (
        running_registry(folder / "registry") as registry,
        emulated_cloud(folder / "cloud", registry) as cloud,
    ):
        bases = Bases(
            good=push_base(registry),
            lying=push_base(registry, machine=OTHER_MACHINE, config_architecture=HOST),
            floating=f"{registry}/base:latest",
        )
        _tag(bases.good, bases.floating)
        checkout = Checkout(folder / "checkout", cloud.environment, log)
        yield World(
            cloud=cloud,
            registry=registry,
            bases=bases,
            checkout=checkout,
            first_commit=_for_this_machine(checkout, bases),
        )


def _for_this_machine(checkout: Checkout, bases: Bases) -> str:
    dockerfile = checkout.read(DOCKERFILE)
    theirs = next(line for line in dockerfile.splitlines() if line.startswith("ARG BASE="))
    checkout.replace(DOCKERFILE, theirs, f"ARG BASE={bases.good}")
    checkout.change_context(STAGE, architecture=_ARCHITECTURE)
    return checkout.commit("The lobby, for this machine")


def _tag(source: str, name: str) -> None:
    skopeo_copy(f"docker://{source}", f"docker://{name}")
