"""Bundling of assets on the machine that synthesizes, without Docker."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import jsii
from aws_cdk import BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

_ROOT: Final = Path(__file__).parents[1]
SOURCE: Final = _ROOT / "lambda_src"
CONTRACT: Final = _ROOT / "contract"
"""A package: the contract test."""


@jsii.implements(ILocalBundling)
class LocalBundling:
    """Fills a folder, and makes it readable for Lambda's user.

    A zip keeps file modes, and with a umask such as 077 Lambda could read none of its files:
    https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html

    ``failure`` is the exception that ended it, which CDK itself turns into text.
    """

    def __init__(self, fill: Callable[[Path], None]) -> None:
        self._fill = fill
        self.failure: Exception | None = None

    def try_bundle(self, output_dir: str, *, image: DockerImage, **_options: Any) -> bool:  # noqa: ARG002  (CDK's)
        """Fill the folder. Errors are raised, because False would let CDK try Docker."""
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
    """Return a folder as code. ``parts`` are the input; their hash names the asset.

    So the same input gives the same asset on every machine, and is bundled once.
    """
    return lambda_.Code.from_asset(
        str(SOURCE), asset_hash=hash_of(*parts), bundling=bundling_options(bundling)
    )


def bundling_options(bundling: LocalBundling) -> BundlingOptions:
    """Return the options that make CDK use this bundling, and never Docker."""
    # CDK requires an image; nothing pulls it.
    return BundlingOptions(local=bundling, image=DockerImage.from_registry("none"))


def hash_of(*parts: bytes) -> str:
    """Return a hash (hexadecimal) of parts, which also depends on the boundaries between them."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def package_code(*packages: Path) -> lambda_.Code:
    """Return Python packages as code: the Python files of each, in a folder of its name."""
    files = {
        path.relative_to(package.parent): path
        for package in packages
        for path in sorted(package.rglob("*.py"))
    }

    def fill(folder: Path) -> None:
        for name, path in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / name)

    named = [part for name, path in files.items() for part in (bytes(name), path.read_bytes())]
    return bundled_code(LocalBundling(fill), *named)
