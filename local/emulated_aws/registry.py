"""The emulated ECR, made strict: digests are those of manifests, and functions need their image."""

import hashlib

from moto import settings
from moto.ecr.models import Image


def mend() -> None:
    """Compute digests as ECR does (moto hashes those of the layers), and let Lambda check them."""
    Image._create_digest = _digest_of_manifest  # type: ignore[assignment, method-assign]  # noqa: SLF001
    settings.lambda_stub_ecr = lambda: False


def _digest_of_manifest(image: Image) -> None:
    image._image_digest = (  # noqa: SLF001  (the field that moto's method sets)
        "sha256:" + hashlib.sha256(image.image_manifest.encode()).hexdigest()
    )
