"""Lambda functions and their versions."""

import base64
import copy
from typing import Any
from uuid import uuid4

from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import LambdaFunction, LambdaStorage, LambdaVersion, lambda_backends
from moto.cloudformation.exceptions import UnformattedGetAttTemplateException, ValidationError
from moto.core.common_models import CloudFormationModel

from local.emulated_aws.registry import source_image


class FunctionModel(LambdaFunction, CloudFormationModel):
    """moto's function, with the properties that moto's template model drops.

    The code is a zip in S3 or in the template, or an image; an update cannot change which.
    """

    logging_config: dict[str, str]

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **_: Any,
    ) -> "FunctionModel":
        """Create the function. Raises ValidationError with Lambda's message."""
        spec = {"FunctionName": resource_name, **cloudformation_json["Properties"]}
        spec["Code"] = _code(spec["Code"])
        tags = {tag["Key"]: tag["Value"] for tag in spec.pop("Tags", [])}
        try:
            function = cls(account_id, spec | {"Tags": tags}, region_name, "$LATEST")
        except LambdaClientError as error:  # Such as: the image is not in the repository.
            raise ValidationError(message=_handler_error(str(error.message))) from error
        function.logging_config = spec.get("LoggingConfig", {})
        lambda_backends[account_id][region_name]._lambdas.put_function(function)  # noqa: SLF001
        return function

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: LambdaFunction,
        new_resource_name: str,  # noqa: ARG003  (where the template names none, it is a new one)
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> "FunctionModel":
        """Change code and configuration, and keep the name and the policy.

        Raises ValidationError where CloudFormation would replace the function.
        """
        properties = cloudformation_json["Properties"]
        name = original_resource.function_name
        packaging = properties.get("PackageType", "Zip")
        renamed = properties.get("FunctionName", name) != name
        if renamed or packaging != original_resource.package_type:
            raise ValidationError(
                message="CloudFormation cannot update a stack when a custom-named resource requires"
                f" replacing. Rename {name} and update the stack again."
            )
        function = cls.create_from_cloudformation_json(
            name, cloudformation_json, account_id, region_name
        )
        function.policy = original_resource.policy
        return function

    def get_configuration(self, on_create: bool = False) -> dict[str, Any]:
        """Add the logging configuration."""
        logging = {"LogFormat": "Text", "LogGroup": self.logs_group_name} | self.logging_config
        return super().get_configuration(on_create) | {"LoggingConfig": logging}

    def get_code(self) -> dict[str, Any]:
        """Add the image's digest; moto cuts the URI at its first colon."""
        code = super().get_code()
        if "ImageUri" in self.code:
            repository = self.code["ImageUri"].partition("@")[0]
            code["Code"]["ResolvedImageUri"] = f"{repository}@sha256:{self.code_sha_256}"
        return code

    def _set_function_code(self, updated_spec: dict[str, Any]) -> None:
        if "ImageUri" not in updated_spec:
            super()._set_function_code(updated_spec)
            return
        image = source_image(updated_spec["ImageUri"], self.account_id, self.region)
        self.code_sha_256 = image.image_digest.removeprefix("sha256:")
        self.code_size = 0


class VersionModel(LambdaVersion, CloudFormationModel):
    """moto's version, with Ref (its ARN) and Fn::GetAtt."""

    physical_resource_id: str

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,  # noqa: ARG003  (moto's protocol)
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **_: Any,
    ) -> "VersionModel":
        """Publish the function. Raises ValidationError when nothing has changed."""
        name = cloudformation_json["Properties"]["FunctionName"]
        backend = lambda_backends[account_id][region_name]
        before = list(backend._lambdas._functions[name]["versions"])  # noqa: SLF001
        function = publish_version(backend._lambdas, name)  # noqa: SLF001
        if function in before:
            raise ValidationError(
                message=f"A version for this Lambda function exists ( {function.version} ). Modify"
                " the function to create a new version."
            )
        version = cls({"Version": function.version})
        version.physical_resource_id = function.function_arn
        return version

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """Return whether Fn::GetAtt has this attribute."""
        return attr in ("FunctionArn", "Version")

    def get_cfn_attribute(self, attribute_name: str) -> str:
        """Return an attribute for Fn::GetAtt."""
        if not self.has_cfn_attr(attribute_name):
            raise UnformattedGetAttTemplateException
        return str(self.version) if attribute_name == "Version" else self.physical_resource_id

    def delete(self, account_id: str, region: str) -> None:
        """Remove this version; its number is not used again."""
        lambda_backends[account_id][region].delete_function(self.physical_resource_id)


def publish_version(
    storage: LambdaStorage, name_or_arn: str, description: str = ""
) -> LambdaFunction:
    """Publish the changes since the last version, under a number that was never used.

    https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
    """
    latest = storage.get_function_by_name_or_arn_forbid_qualifier(name_or_arn)
    entry = storage._functions[latest.function_name]  # noqa: SLF001
    versions: list[LambdaFunction] = entry["versions"]
    if versions and _runtime_configuration(versions[-1]) == _runtime_configuration(latest):
        return versions[-1]
    entry["published"] = entry.get("published", 0) + 1
    version = copy.copy(latest)
    version.set_version(entry["published"])
    version.description = description or version.description
    versions.append(version)
    storage._arns[version.function_arn] = version  # noqa: SLF001
    return version


def _runtime_configuration(function: LambdaFunction) -> dict[str, Any]:
    version_specific = ("FunctionArn", "LastModified", "Version")
    return {
        name: value
        for name, value in function.get_configuration().items()
        if name not in version_specific
    }


def _code(code: dict[str, Any]) -> dict[str, Any]:
    """Zip code that is text in the template."""
    if "ZipFile" not in code:
        return dict(code)
    zipped = LambdaFunction._create_zipfile_from_plaintext_code(code["ZipFile"])  # noqa: SLF001
    return {"ZipFile": base64.b64encode(zipped).decode()}


def _handler_error(message: str) -> str:
    """Return CloudFormation's message for the refusal of a service."""
    return (
        f'Resource handler returned message: "{message} (Service: Lambda, Status Code: 400,'
        f' Request ID: {uuid4()})" (RequestToken: {uuid4()}, HandlerErrorCode: InvalidRequest)'
    )
