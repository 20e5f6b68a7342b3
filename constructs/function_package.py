"""What a function runs: an image named by digest, or the same code as a zip.

Lambda lets no function change from one to the other, so each is a function of its own:
https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_lambda as lambda_
from constructs.image_digest import ImageDigest
from constructs.local_bundling import package_code
from constructs.python_runtime import PYTHON


@dataclass(frozen=True)
class FunctionPackage:
    """The code of a function, and what Lambda must be told to start it."""

    code: lambda_.Code
    handler: str
    runtime: lambda_.Runtime
    layers: Sequence[lambda_.ILayerVersion] | None = None
    """None for an image, which can have none."""


def image_package(repository: ecr.IRepository, digest: ImageDigest) -> FunctionPackage:
    """Return a container image.

    The image decides what is started: no ``ImageConfig`` is set, since an override of one of
    ENTRYPOINT, CMD and WORKDIR silently leaves the others to the image.
    """
    return FunctionPackage(
        code=lambda_.Code.from_ecr_image(repository, tag_or_digest=digest.value),
        handler=lambda_.Handler.FROM_IMAGE,
        runtime=lambda_.Runtime.FROM_IMAGE,
    )


def zip_package(package: str, *, handler: str, libraries: lambda_.ILayerVersion) -> FunctionPackage:
    """Return a package of ``lambda_src`` as a zip, for the same Python as the image's.

    ``handler`` is what the image's CMD names.
    """
    return FunctionPackage(
        code=package_code(package), handler=handler, runtime=PYTHON, layers=[libraries]
    )
