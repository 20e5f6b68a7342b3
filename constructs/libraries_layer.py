"""The libraries of the function as a layer, for when its code is a zip."""

from pathlib import Path

from aws_cdk import aws_lambda as lambda_
from constructs import Construct
from constructs.local_bundling import LocalBundling, bundled_code
from constructs.python_runtime import PYTHON

from lambda_src.dependencies import (
    PYTHON_VERSION,
    REQUIREMENTS,
    DependenciesError,
    install_dependencies,
)


class LibrariesError(Exception):
    """The libraries cannot be installed; the message says why and what to do."""


class LibrariesLayer(Construct):
    """What ``lambda_src/requirements.txt`` names, from wheels for one CPU.

    Args:
        architecture: the CPU.

    Raises:
        LibrariesError: pip failed. CDK's own answer would be to try Docker.

    """

    def __init__(
        self, scope: Construct, construct_id: str, *, architecture: lambda_.Architecture
    ) -> None:
        super().__init__(scope, construct_id)
        cpu = architecture.name

        def fill(folder: Path) -> None:
            # https://docs.aws.amazon.com/lambda/latest/dg/python-layers.html
            install_dependencies(folder / "python", architecture=cpu)

        bundling = LocalBundling(fill)
        made_of = (REQUIREMENTS.read_bytes(), PYTHON_VERSION.encode(), cpu.encode())
        try:
            self.layer = lambda_.LayerVersion(
                self,
                "Layer",
                code=bundled_code(bundling, *made_of),
                compatible_runtimes=[PYTHON],
                compatible_architectures=[architecture],
                description="The libraries of the rooms function",
            )
        except RuntimeError:
            if not isinstance(bundling.failure, DependenciesError):
                raise
            raise LibrariesError(
                f"the libraries for the zip's layer (Python {PYTHON_VERSION}, {cpu}) cannot be"
                f" installed, and nothing was deployed. pip says:\n{bundling.failure}\n"
                "It needs the package index, or a mirror that PIP_INDEX_URL names, with wheels for"
                " that CPU"
            ) from None
