"""Files that CDK uploads, put together on the machine that synthesizes: no Docker, ever."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

from lambda_src.dependencies import REQUIREMENTS

SOURCE = REQUIREMENTS.parent
"""The folder ``lambda_src``."""


@jsii.implements(ILocalBundling)
class LocalBundling:
    """Fills a folder, and makes it readable for the user that Lambda runs code as.

    A zip keeps the modes of the machine that made it, and under a umask such as 077 Lambda could
    read nothing of it:
    https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html

    ``failure`` is what ended it: CDK turns an exception into a text of its own.
    """

    def __init__(self, fill: Callable[[Path], None]) -> None:
        self._fill = fill
        self.failure: Exception | None = None

    def try_bundle(self, output_dir: str, *, image: DockerImage, **_options: Any) -> bool:  # noqa: ARG002  (CDK's)
        """Do it. False would let CDK go on with Docker; so whatever is wrong is raised."""
        folder = Path(output_dir)
        try:
            self._fill(folder)
        except Exception as error:
            self.failure = error
            raise
        for path in folder.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        return True


def bundled_code(bundling: LocalBundling, *parts: bytes) -> lambda_.Code:
    """Return a folder as code. Equal ``parts``, all that it is made of, stand for equal folders.

    So the same input is the same asset on every machine, and is put together once.
    """
    return lambda_.Code.from_asset(
        str(SOURCE), asset_hash=hash_of(*parts), bundling=bundling_options(bundling)
    )


def bundling_options(bundling: LocalBundling) -> BundlingOptions:
    """Return what CDK is told, so that it does this bundling and nothing else."""
    # CDK wants an image to be named; nothing pulls it.
    return BundlingOptions(local=bundling, image=DockerImage.from_registry("none"))


def hash_of(*parts: bytes) -> str:
    """Return the hash (hexadecimal) of some parts, which differs when one ends elsewhere."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def package_code(package: str) -> lambda_.Code:
    """Return a package of ``lambda_src``: its Python files, in a folder of its name."""
    files = {
        path.relative_to(SOURCE): path.read_bytes()
        for path in sorted(SOURCE.joinpath(package).rglob("*.py"))
    }

    def fill(folder: Path) -> None:
        for path in files:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(SOURCE / path, folder / path)

    named = [part for path, content in files.items() for part in (bytes(path), content)]
    return bundled_code(LocalBundling(fill), *named)
