"""The custom resources of CDK, emulated without their functions.

Those cannot run here: one needs the AWS CLI at a fixed path, the other Node.
"""
# ruff: noqa: D102  (the methods are moto's protocol, documented once in Model)

import io
import mimetypes
import zipfile
from pathlib import PurePosixPath
from typing import Any

from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel
from moto.s3.models import S3Backend, s3_backends

from local.emulated_aws.patching import Patch
from local.emulated_aws.resources.model import Model, Properties

# Scripts are text/javascript: https://www.rfc-editor.org/rfc/rfc9239
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript"}
_FALSE = (False, "false")


class _CdkResource(Model):
    @property
    def s3(self) -> S3Backend:
        return s3_backends[self.account_id]["aws"]


class BucketDeploymentModel(_CdkResource, CloudFormationModel):
    """Unzips the CDK CLI's upload into a bucket, and removes nothing there.

    It ignores the invalidation: the edge keeps the page for a second only.
    """

    TYPE = "Custom::CDKBucketDeployment"
    ATTRIBUTES = ("DestinationBucketArn",)

    def put(self, name: str, properties: Properties) -> None:
        _refuse_unsupported(properties)
        self.physical_resource_id = self.physical_resource_id or name
        self.bucket = properties["DestinationBucketName"]
        prefix = properties.get("DestinationBucketKeyPrefix", "").strip("/")
        cache_control = properties.get("SystemMetadata", {}).get("cache-control")
        for bucket, key in zip(
            properties["SourceBucketNames"], properties["SourceObjectKeys"], strict=True
        ):
            source = self.s3.get_object(bucket, key)
            assert source is not None  # noqa: S101  # the CLI has uploaded it
            with zipfile.ZipFile(io.BytesIO(source.value)) as files:
                for file in files.infolist():
                    if not file.is_dir():
                        path = "/".join(filter(None, (prefix, file.filename)))
                        self._upload(path, files.read(file), cache_control)

    def _upload(self, key: str, content: bytes, cache_control: str | None) -> None:
        made = self.s3.put_object(self.bucket, key, content)
        suffix = PurePosixPath(key).suffix
        kind = _TYPES.get(suffix) or mimetypes.guess_type(key)[0] or "binary/octet-stream"
        metadata = {"Content-Type": kind}
        if cache_control:
            metadata["Cache-Control"] = cache_control
        made.set_metadata(metadata)

    def attribute(self, name: str) -> str:  # noqa: ARG002  (there is one)
        return f"arn:aws:s3:::{self.bucket}"

    def delete(self, *_: str) -> None:
        """Keep the files, as CDK does."""


def _refuse_unsupported(properties: Properties) -> None:
    refused = {
        "Prune": properties.get("Prune") not in _FALSE,
        "Extract": properties.get("Extract") in _FALSE,
        "RetainOnDelete": properties.get("RetainOnDelete") in _FALSE,
        "Include": properties.get("Include"),
        "Exclude": properties.get("Exclude"),
        "SourceMarkers": any(properties.get("SourceMarkers", ())),
        "UserMetadata": properties.get("UserMetadata"),
        "SystemMetadata": properties.get("SystemMetadata", {}).keys() - {"cache-control"},
    }
    if found := [name for name, is_refused in refused.items() if is_refused]:
        raise NotImplementedError(f"the emulated upload does not do {', '.join(found)}")


class AutoDeleteObjectsModel(_CdkResource, CloudFormationModel):
    """Empties its bucket before that is deleted."""

    TYPE = "Custom::S3AutoDeleteObjects"

    def put(self, name: str, properties: Properties) -> None:
        self.physical_resource_id = self.physical_resource_id or name
        self.bucket = properties["BucketName"]

    def delete(self, *_: str) -> None:
        for key in list(self.s3.get_bucket(self.bucket).keys):
            self.s3.delete_object(self.bucket, key)


def patches() -> tuple[Patch, ...]:
    """Return the patch that maps these types; moto maps every custom resource to its own model."""
    theirs = parsing.resource_class_from_type
    ours: dict[str, Any] = {
        cls.TYPE: cls for cls in (BucketDeploymentModel, AutoDeleteObjectsModel)
    }

    def resource_class_from_type(resource_type: str) -> Any:
        return ours.get(resource_type) or theirs(resource_type)

    return (Patch(parsing, "resource_class_from_type", resource_class_from_type),)
