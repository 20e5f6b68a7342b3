"""A client of the container registry in which the emulated ECR keeps its images.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import urllib3

from imagecheck.errors import FailedError

_MANIFEST_TYPES: Final = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_TIMEOUT_SECONDS = 60
_CHUNK_BYTES = 1024 * 1024
_NOT_FOUND = 404
_REFUSED = 400


class RegistryClientError(FailedError):
    """The registry refuses the request or does not answer; the message has its answer."""


@dataclass(frozen=True, kw_only=True)
class StoredManifest:
    """A manifest as it was pushed."""

    digest: str
    media_type: str
    content: str


class RegistryClient:
    """Reads from and writes to a registry without authentication."""

    def __init__(self, host: str) -> None:
        """``host`` is HOST:PORT of a registry that speaks plain HTTP."""
        self.host = host
        self._http = urllib3.PoolManager(maxsize=4)

    def tags(self, repository: str) -> list[str]:
        """Return the tags of a repository; none when nothing was pushed to it."""
        answer = self._request("GET", f"{repository}/tags/list")
        return [] if answer is None else list(json.loads(answer.data)["tags"] or ())

    def digest(self, repository: str, reference: str) -> str | None:
        """Return the digest of a tag or digest; None when there is no such image."""
        answer = self._request("HEAD", f"{repository}/manifests/{reference}")
        return None if answer is None else str(answer.headers["Docker-Content-Digest"])

    def manifest(self, repository: str, reference: str) -> StoredManifest | None:
        """Return the manifest of a tag or digest; None when there is no such image."""
        answer = self._request("GET", f"{repository}/manifests/{reference}")
        if answer is None:
            return None
        return StoredManifest(
            digest=str(answer.headers["Docker-Content-Digest"]),
            media_type=str(answer.headers["Content-Type"]),
            content=answer.data.decode(),
        )

    def put_manifest(self, repository: str, reference: str, media_type: str, content: str) -> None:
        """Push a manifest whose blobs have been pushed."""
        path = f"{repository}/manifests/{reference}"
        headers = {"Content-Type": media_type}
        self._request("PUT", path, headers=headers, body=content.encode())

    def delete_manifest(self, repository: str, digest: str) -> None:
        """Remove an image with all its tags."""
        self._request("DELETE", f"{repository}/manifests/{digest}")

    def put_blob(self, repository: str, digest: str, content: bytes) -> None:
        """Push a blob."""
        answer = self._request("POST", f"{repository}/blobs/uploads/")
        if answer is None:
            raise RegistryClientError(f"{self.host} takes no blobs for {repository}")
        # The place of the upload is a whole URL, with a query in it.
        _, _, path = answer.headers["Location"].partition("/v2/")
        headers = {"Content-Type": "application/octet-stream"}
        self._request("PUT", f"{path}&digest={digest}", headers=headers, body=content)

    def blob_size(self, repository: str, digest: str) -> int | None:
        """Return the size of a blob in bytes; None when it is not there."""
        answer = self._request("HEAD", f"{repository}/blobs/{digest}")
        return None if answer is None else int(answer.headers["Content-Length"])

    def blob_url(self, repository: str, digest: str) -> str:
        """Return the URL of a blob, which needs no credentials."""
        return f"http://{self.host}/v2/{repository}/blobs/{digest}"

    def fetch(self, repository: str, digest: str, layout: Path) -> dict[str, Any]:
        """Copy the blobs of an image to an OCI image layout, and return its config."""
        manifest = self.manifest(repository, digest)
        if manifest is None:
            raise RegistryClientError(f"{self.host} has no image {repository}@{digest}")
        blobs = layout / "blobs" / "sha256"
        blobs.mkdir(parents=True)
        (blobs / digest.removeprefix("sha256:")).write_text(manifest.content)
        document = json.loads(manifest.content)
        for descriptor in (document["config"], *document["layers"]):
            with (blobs / descriptor["digest"].removeprefix("sha256:")).open("wb") as file:
                for chunk in self._blob(repository, descriptor["digest"]):
                    file.write(chunk)
        config: dict[str, Any] = json.loads(
            (blobs / document["config"]["digest"].removeprefix("sha256:")).read_bytes()
        )
        return config

    def _blob(self, repository: str, digest: str) -> Iterator[bytes]:
        url = self.blob_url(repository, digest)
        answer = self._http.request("GET", url, preload_content=False, timeout=_TIMEOUT_SECONDS)
        try:
            if answer.status >= _REFUSED:
                raise RegistryClientError(f"GET {url} answers HTTP {answer.status}")
            yield from answer.stream(_CHUNK_BYTES, decode_content=False)
        finally:
            answer.release_conn()

    def _request(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> urllib3.BaseHTTPResponse | None:
        url = f"http://{self.host}/v2/{path}"
        accept = {"Accept": ", ".join(_MANIFEST_TYPES)}
        try:
            answer = self._http.request(
                method, url, headers=accept | (headers or {}), body=body, timeout=_TIMEOUT_SECONDS
            )
        except urllib3.exceptions.HTTPError as error:
            raise RegistryClientError(f"{method} {url}: {error}") from error
        if answer.status == _NOT_FOUND:
            return None
        if answer.status >= _REFUSED:
            said = answer.data.decode("utf-8", "replace")
            raise RegistryClientError(f"{method} {url} answers HTTP {answer.status}: {said}")
        return answer
