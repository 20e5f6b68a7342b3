"""Wraps an image in an index with an attestation, as plain `docker buildx` does."""

import json
from pathlib import Path
from typing import Final

from imagecheck.image.manifest import OCI_INDEX, OCI_MANIFEST, digest_of

TAG: Final = "by-hand"


def write_index(layout: Path, image: str) -> str:
    """Add a tagged index of a layout's image and an attestation, and return its digest.

    https://docs.docker.com/build/metadata/attestations/attestation-storage/
    """
    config = _blob(layout, json.dumps({"architecture": "unknown", "os": "unknown"}).encode())
    statement = _blob(layout, b'{"predicateType": "https://slsa.dev/provenance/v0.2"}')
    attestation = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config},
        "layers": [{"mediaType": "application/vnd.in-toto+json", **statement}],
    }
    listed = json.loads((layout / "index.json").read_text())
    (entry,) = [each for each in listed["manifests"] if each["digest"] == image]
    index = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [
            {key: entry[key] for key in ("mediaType", "digest", "size")},
            {
                "mediaType": OCI_MANIFEST,
                **_blob(layout, json.dumps(attestation).encode()),
                "platform": {"architecture": "unknown", "os": "unknown"},
                "annotations": {
                    "vnd.docker.reference.digest": image,
                    "vnd.docker.reference.type": "attestation-manifest",
                },
            },
        ],
    }
    written = {
        "mediaType": OCI_INDEX,
        **_blob(layout, json.dumps(index).encode()),
        "annotations": {"org.opencontainers.image.ref.name": TAG},
    }
    listed["manifests"].append(written)
    (layout / "index.json").write_text(json.dumps(listed))
    return str(written["digest"])


def _blob(layout: Path, content: bytes) -> dict[str, str | int]:
    digest = digest_of(content)
    (layout / "blobs/sha256" / digest.removeprefix("sha256:")).write_bytes(content)
    return {"digest": digest, "size": len(content)}
