"""The stack that players talk to."""

from typing import Any

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct
from constructs.image_digest import ImageDigest
from constructs.pinned_image_function import PinnedImageFunction
from constructs.rooms_alarms import RoomsAlarms
from constructs.rooms_api import RoomsApi
from constructs.rooms_dashboard import RoomsDashboard
from constructs.rooms_table import RoomsTable

from lambda_src.rooms.routes import ROUTES
from stacks.names import StageNames
from stacks.settings import StageSettings

_ARCHITECTURES = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}


class RoomsStack(Stack):
    """Table, function, API, alarms, dashboard.

    The repository is known by its name alone: an exported reference would tie the two stacks
    together, so that neither could be changed without the other.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: StageNames,
        settings: StageSettings,
        digest: ImageDigest,
        **stack: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack)
        timeout = Duration.seconds(settings.timeout_seconds)
        log_retention = logs.RetentionDays[settings.log_retention]

        table = RoomsTable(self, "Table", name=names.table, retain=settings.retain_data)
        function = PinnedImageFunction(
            self,
            "Function",
            function_name=names.function,
            repository=ecr.Repository.from_repository_name(self, "Images", names.repository),
            digest=digest,
            architecture=_ARCHITECTURES[settings.architecture],
            memory_mb=settings.memory_mb,
            timeout=timeout,
            environment={"ROOMS_TABLE": names.table},
            log_retention=log_retention,
            reserved_concurrency=settings.reserved_concurrency,
        )
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
            timeout=timeout,
            log_group=function.log_group,
            table=table.table,
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
        CfnOutput(self, "ApiUrl", value=api.api.api_endpoint)
        CfnOutput(self, "AlarmTopicArn", value=alarms.topic.topic_arn)
