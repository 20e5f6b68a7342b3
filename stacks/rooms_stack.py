"""The stack that players talk to."""

from typing import Any

import msgspec
from aws_cdk import CfnOutput, Duration, Fn, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_ssm as ssm
from constructs import Construct
from constructs.canary_deployment import CanaryDeployment
from constructs.distribution_key import DistributionKey
from constructs.function_package import FunctionPackage, image_package, zip_package
from constructs.image_digest import ImageDigest
from constructs.kept_logs import keep_logs
from constructs.libraries_layer import LibrariesLayer
from constructs.live_function import LiveFunction, function_log
from constructs.local_bundling import SOURCE
from constructs.pre_traffic_hook import PreTrafficHook
from constructs.release_parameter import ReleaseParameter
from constructs.rooms_alarms import RoomsAlarms
from constructs.rooms_api import RoomsApi
from constructs.rooms_dashboard import RoomsDashboard
from constructs.rooms_table import RoomsTable

from config.image_lock import ImagePin
from config.names import StageNames
from config.settings import StageSettings
from lambda_src.rooms.routes import ROUTES

_ARCHITECTURES = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}


class RoomsStack(Stack):
    """Table, function, API, alarms, dashboard, canary deployment, and the live release.

    The repository is imported by its name: an exported reference would tie the two stacks together,
    so that neither could be changed without the other.

    The image and the zip are two functions, because a function cannot change from one to the other.
    A change of the packaging creates the other function first, moves API, alarms and dashboard to
    it, and removes the first one last. This has no canary, because no alias moves. The logs of both
    are always in the stack: they are read after their function is gone, and a log group that had
    left the stack would stand in the way of its return.

    Args:
        names: the names of the stage.
        settings: those of the stage.
        pin: the image to run; None runs the same code as a zip.
        emergency: give the new version all traffic at once.

    Raises:
        LibrariesError: the libraries of the zip cannot be installed.

    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: StageNames,
        settings: StageSettings,
        pin: ImagePin | None,
        emergency: bool,
        **stack: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack)
        timeout = Duration.seconds(settings.timeout_seconds)
        log_retention = logs.RetentionDays[settings.log_retention]
        architecture = _ARCHITECTURES[settings.architecture]

        # CloudFormation imports a table that is there only under a logical id that is new to it.
        table = RoomsTable(
            self,
            f"Table-{names.other_table}" if names.other_table else "Table",
            name=names.table,
            retain=settings.retain_data,
        )
        key = DistributionKey(
            self,
            "DistributionKey",
            parameter_name=names.distribution_key_parameter,
            number=settings.distribution_key,
        )
        function = LiveFunction(
            self,
            "Function" if pin else "ZipFunction",
            function_name=names.function if pin else names.zip_function,
            package=self._image(names, pin) if pin else self._zip(architecture),
            architecture=architecture,
            memory_mb=settings.memory_mb,
            timeout=timeout,
            environment={
                "ROOMS_TABLE": names.table,
                "DISTRIBUTION_KEYS": key.accepted,
                "ONLY_THROUGH_PAGE": "true" if settings.only_through_page else "false",
            },
            log_retention=log_retention,
            reserved_concurrency=settings.reserved_concurrency,
        )
        function_log(
            Construct(self, "ZipFunction" if pin else "Function"),
            names.zip_function if pin else names.function,
            log_retention,
        )
        if names.other_table:
            table.grant_beside(names.first_table, function.function)
        else:
            table.grant_room_operations(function.function)
        api = RoomsApi(
            self,
            "Api",
            name=f"{names.prefix}-rooms",
            handler=function.live,
            routes=ROUTES,
            allowed_origins=settings.allowed_origins,
            requests_per_second=settings.requests_per_second,
            requests_burst=settings.requests_burst,
            log_retention=log_retention,
        )
        alarms = RoomsAlarms(
            self,
            "Alarms",
            name_prefix=names.prefix,
            api=api.api,
            live=function.live,
            version=function.version,
            timeout=timeout,
            log_group=function.log_group,
            access_log=api.access_log,
            table=table.table,
            requests_per_second=settings.requests_per_second,
            reserved_concurrency=settings.reserved_concurrency,
        )
        RoomsDashboard(
            self,
            "Dashboard",
            name=f"{names.prefix}-rooms",
            alarms=alarms.all,
            api=api.api,
            live=function.live,
            table=table.table,
            log_group=function.log_group,
        )
        hook = PreTrafficHook(
            self,
            "Hook",
            function_name=f"{names.prefix}-pre-traffic-hook",
            version=function.version,
            architecture=architecture,
            log_retention=log_retention,
        )
        deployment = CanaryDeployment(
            self,
            "Deployment",
            name=f"{names.prefix}-rooms",
            live=function.live,
            hook=hook,
            alarms=alarms.of_version,
            emergency=emergency,
        )
        ssm.StringParameter(
            self,
            "ApiDomain",
            parameter_name=names.api_domain_parameter,
            string_value=Fn.select(2, Fn.split("/", api.api.api_endpoint)),
            description="The domain name of the API, for the web stack",
        )
        ReleaseParameter(
            self,
            "Release",
            name=names.release_parameter,
            release=release_of(pin),
            after=self.node.children,
        )
        if settings.retain_data:
            keep_logs(self)
        CfnOutput(self, "ApiUrl", value=api.api.api_endpoint)
        CfnOutput(self, "AlarmTopicArn", value=alarms.topic.topic_arn)
        CfnOutput(self, "FunctionName", value=function.function.function_name)
        CfnOutput(self, "TableName", value=names.table)
        CfnOutput(self, "HookLogGroup", value=hook.log_group.log_group_name)
        CfnOutput(self, "DeploymentApplication", value=deployment.application.application_name)
        CfnOutput(self, "DeploymentGroup", value=deployment.group.deployment_group_name)

    def _image(self, names: StageNames, pin: ImagePin) -> FunctionPackage:
        images = ecr.Repository.from_repository_name(self, "Images", names.repository)
        return image_package(images, ImageDigest(pin.digest))

    def _zip(self, architecture: lambda_.Architecture) -> FunctionPackage:
        libraries = LibrariesLayer(self, "Libraries", architecture=architecture)
        return zip_package(
            SOURCE / "rooms", handler="rooms.main.handler", libraries=libraries.layer
        )


def release_of(pin: ImagePin | None) -> dict[str, Any]:
    """Return the value of the release parameter: the packaging, and the pin from the lock file."""
    if pin is None:
        return {"packaging": "zip"}
    return {"packaging": "image", "pin": msgspec.to_builtins(pin)}
