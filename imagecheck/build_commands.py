"""Commands that several rules advise."""

from typing import Final

GZIP_LAYERS: Final = "skopeo copy --dest-compress-format gzip … pushes it with gzip layers"
"""Pushes an image once more, with layers as Lambda takes them."""


def one_manifest(architecture: str) -> str:
    """Return how to build one manifest for a CPU (``amd64``, ``arm64``), and no index."""
    platform = f"--platform linux/{architecture}"
    return f"docker buildx build --provenance=false --sbom=false {platform} …"
