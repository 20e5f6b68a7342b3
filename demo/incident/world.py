"""The setting of the story: an emulated account, a registry, base images and a checkout."""

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from config.names import StageNames
from demo.incident.broken import DOCKERFILE, Bases
from demo.incident.checkout import Checkout
from local.cloud import Cloud, emulated_cloud
from local.docker_registry import running_registry
from tests.support.imagecheck.programs import HOST, OTHER_MACHINE
from tests.support.imagecheck.tools import skopeo_copy
from tests.support.release.stand_in_base import push_base

STAGE: Final = "dev"
NAMES: Final = StageNames(STAGE)
_ARCHITECTURE: Final = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]


@dataclass(frozen=True, kw_only=True)
class IncidentWorld:
    """An emulated account with its registry, the base images and a checkout."""

    cloud: Cloud
    registry: str
    """HOST:PORT of the registry behind the account's ECR; it also has the bases."""
    bases: Bases
    checkout: Checkout
    first_commit: str
    """The first commit of the checkout, which is good."""

    @property
    def live(self) -> tuple[str, str]:
        """The version of the alias ``live``, and the digest of its image."""
        function = self.cloud.client("lambda").get_function(
            FunctionName=NAMES.function, Qualifier="live"
        )
        digest = function["Code"]["ResolvedImageUri"].partition("@")[2]
        return function["Configuration"]["Version"], digest

    def move_floating_tag(self) -> None:
        """Move the floating tag to a base for another CPU."""
        other = push_base(self.registry, machine=OTHER_MACHINE)
        _tag(other, self.bases.floating)


@contextmanager
def incident_world(folder: Path, log: Path) -> Iterator[IncidentWorld]:
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
        yield IncidentWorld(
            cloud=cloud,
            registry=registry,
            bases=bases,
            checkout=checkout,
            first_commit=_for_this_machine(checkout, bases),
        )


def _for_this_machine(checkout: Checkout, bases: Bases) -> str:
    dockerfile = checkout.read(DOCKERFILE)
    argument = f"ARG BASE_{_ARCHITECTURE.upper()}="
    theirs = next(line for line in dockerfile.splitlines() if line.startswith(argument))
    checkout.replace(DOCKERFILE, theirs, f"{argument}{bases.good}")
    checkout.change_context(STAGE, architecture=_ARCHITECTURE)
    return checkout.commit("The lobby, for this machine")


def _tag(source: str, name: str) -> None:
    skopeo_copy(f"docker://{source}", f"docker://{name}")
