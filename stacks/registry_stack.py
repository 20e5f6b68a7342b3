"""The stack that must exist before an image can be pushed."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct
from constructs.image_repository import ImageRepository

from config.names import StageNames
from config.settings import StageSettings


class RegistryStack(Stack):
    """The repository that the function's images come from."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: StageNames,
        settings: StageSettings,
        **stack: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack)
        images = ImageRepository(
            self,
            "Images",
            name=names.repository,
            function_name=names.function,
            retain=settings.retain_data,
        )
        CfnOutput(self, "RepositoryUri", value=images.repository.repository_uri)
