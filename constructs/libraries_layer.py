"""The libraries of the function as a layer, for the zip packaging."""

from pathlib import Path

from aws_cdk import aws_lambda as lambda_
from constructs import Construct
from constructs.local_bundling import LocalBundling, bundled_code
from constructs.python_runtime import PYTHON

from config.function_libraries import (
    PYTHON_VERSION,
    REQUIREMENTS,
    DependenciesError,
    install_dependencies,
)
from imagecheck.errors import FailedError


class LibrariesError(FailedError):
    """The libraries cannot be installed for the zip."""


class LibrariesLayer(Construct):
    """The libraries in ``lambda_src/requirements.txt``, from wheels for one CPU.

    Args:
        architecture: the CPU.

    Raises:
        LibrariesError: pip failed.

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
            # Of jsii: its traceback is Node's, and the cause of it is the failure below.
            if not isinstance(bundling.failure, DependenciesError):
                raise
            raise LibrariesError(
                f"the libraries for the zip's layer (Python {PYTHON_VERSION}, {cpu}) cannot be"
                f" installed, and nothing was deployed. pip says:\n{bundling.failure}",
                hint="pip needs the package index, or a mirror in PIP_INDEX_URL, with wheels for"
                " that CPU",
            ) from bundling.failure
