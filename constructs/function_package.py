"""The code of a function: an image by digest, or the same code as a zip.

A function cannot change from one to the other, so each is a function of its own:
https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_lambda as lambda_
from constructs.image_digest import ImageDigest
from constructs.local_bundling import package_code
from constructs.python_runtime import PYTHON


@dataclass(frozen=True)
class FunctionPackage:
    """The code of a function, with its handler, runtime and layers."""

    code: lambda_.Code
    handler: str
    runtime: lambda_.Runtime
    layers: Sequence[lambda_.ILayerVersion] | None = None
    """None for an image, which cannot have layers."""


def image_package(repository: ecr.IRepository, digest: ImageDigest) -> FunctionPackage:
    """Return a container image.

    It has no ``ImageConfig``: an override of one of ENTRYPOINT, CMD and WORKDIR would silently
    leave the others to the image.
    """
    return FunctionPackage(
        code=lambda_.Code.from_ecr_image(repository, tag_or_digest=digest.value),
        handler=lambda_.Handler.FROM_IMAGE,
        runtime=lambda_.Runtime.FROM_IMAGE,
    )


def zip_package(
    package: Path, *, handler: str, libraries: lambda_.ILayerVersion
) -> FunctionPackage:
    """Return a Python package as a zip, for the same Python as the image's.

    ``handler`` is the one in the image's CMD.
    """
    return FunctionPackage(
        code=package_code(package), handler=handler, runtime=PYTHON, layers=[libraries]
    )
