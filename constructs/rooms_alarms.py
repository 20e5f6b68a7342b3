"""CloudWatch alarms and their SNS topic."""

from math import ceil
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct
from constructs.alarm_topic import alarm_topic
from constructs.rooms_metrics import sum_of_operations, throttled_requests, version_errors

INIT_FAILURES: Final = (
    "Runtime.InvalidEntrypoint",
    "Runtime.InvalidWorkingDir",
    "Runtime.InvalidTaskConfig",
    "Runtime.ExitError",
    "Runtime.ImportModuleError",
    "Runtime.HandlerNotFound",
    "Runtime.MalformedHandlerName",
    "Runtime.UserCodeSyntaxError",
    "Runtime.BuiltInModuleConflict",
    "Runtime.Unknown",
    "Extension.LaunchError",
    "Extension.InitError",
    "Extension.ExitError",
    "Extension.Crash",
)
"""The error types that Lambda and its Python runtime client log when a function does not start:
``internal/lambda/fatalerror`` of the runtime interface emulator, and awslambdaric."""

FAILED_INIT: Final = '{ $.type = "platform.initReport" && $.record.status != "success" }'
"""Lambda's log line for a start that failed for another reason, such as a missing variable:
https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-initReport"""

SERVER_ERROR: Final = '{ $.message = "request" && $.status >= 500 }'
"""The log line of a request with a server error; it has the version."""

TIMEOUT_SHARE: Final = 0.8
"""Invocations that take this share of the timeout are close to being ended."""

SLOW_ANSWER: Final = Duration.seconds(3)

BUSY_SHARE: Final = 0.8
"""Environments that take this share of those there may be are close to all."""

TRAFFIC_SHARE: Final = 0.5
"""Requests that take this share of what one route lets through are far more than players send."""

REFUSED_SHARE: Final = 0.1
"""The same for requests that are refused: those of somebody who tries codes, or of a broken page.
"""

BUSY_REQUEST_S: Final = 0.2
"""How long a request takes on a bad day with a healthy table, in seconds: many times the usual."""

_MINUTE: Final = Duration.minutes(1)


class RoomsAlarms(Construct):
    """Alarms over 60-second periods, and the topic that is notified when one begins and ends.

    Periods are short so that the alarms can stop a canary deployment of five minutes. Missing data
    is not breaching: these metrics are only written when there is traffic, and at night nobody
    plays.

    ``of_version`` are the alarms for the new version alone. They stop its deployment at the first
    error, and send no notification. Each version has its own alarms: an alarm keeps its state when
    its metric changes, and CodeDeploy stops for an alarm that is already in ALARM.

    Args:
        name_prefix: the prefix of the names of the topic and of every alarm.
        api: the API to watch.
        live: the alias with the traffic.
        version: the version to which the traffic will move.
        timeout: the function's timeout.
        log_group: the function's log group, in which Lambda logs why an image did not start.
        access_log: the API's log group.
        table: the table to watch.
        requests_per_second: what each route of the API lets through.
        reserved_concurrency: the number of environments reserved for the function, if there is.

    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name_prefix: str,
        api: apigatewayv2.HttpApi,
        live: lambda_.Alias,
        version: lambda_.Version,
        timeout: Duration,
        log_group: logs.ILogGroup,
        access_log: logs.ILogGroup,
        table: dynamodb.ITable,
        requests_per_second: int,
        reserved_concurrency: int | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._name_prefix = name_prefix
        self.topic = alarm_topic(self, name_prefix=name_prefix)
        self.of_version = [
            self._alarm(
                "version-errors",
                version_errors(version, live),
                "Invocations of the version that is being deployed fail. CodeDeploy moves its"
                " traffic back. Look for the error type in the function's log.",
                suffix=f"-{version.version}",
            ),
            self._alarm(
                "version-5xx",
                self._server_version_errors(version, log_group),
                "The version that is being deployed returns server errors. CodeDeploy moves its"
                " traffic back. Look at its log lines with status 500 and 503.",
                suffix=f"-{version.version}",
            ),
        ]
        notifying = [
            self._alarm(
                "init-failures",
                self._init_failures_metric(log_group),
                "The function does not start, or ran out of memory. Look for the error type in its"
                " log: it names the cause.",
            ),
            self._alarm(
                "api-5xx",
                api.metric_server_error(period=_MINUTE, statistic="Sum"),
                "Players get server errors. Look at the log lines with status 500 and 503.",
                minutes=3,
                bad_minutes=2,
            ),
            self._alarm(
                "api-latency-p99",
                api.metric_latency(period=_MINUTE, statistic="p99"),
                "One response in a hundred takes longer than three seconds. Compare the integration"
                " latency in the access log with the duration in the function's log.",
                threshold=SLOW_ANSWER.to_milliseconds(),
                minutes=5,
                bad_minutes=3,
            ),
            self._alarm(
                "api-429",
                throttled_requests(self, access_log, namespace=name_prefix),
                "The API turns requests away: all clients together send more than one of its routes"
                " lets through. Look in the access log for the addresses that send most.",
                minutes=3,
                bad_minutes=2,
            ),
            self._alarm(
                "api-4xx",
                api.metric_client_error(period=_MINUTE, statistic="Sum"),
                "Many requests are refused. Somebody tries codes, or a page of ours is broken. Look"
                " in the access log for status, route and address.",
                threshold=REFUSED_SHARE * 60 * requests_per_second,
                minutes=5,
                bad_minutes=3,
            ),
            self._alarm(
                "api-traffic",
                api.metric_count(period=_MINUTE, statistic="Sum"),
                "Far more requests than players send reach the API, and each is paid for. Look in"
                " the access log for the addresses that send most.",
                threshold=TRAFFIC_SHARE * 60 * requests_per_second,
                minutes=5,
                bad_minutes=3,
            ),
            self._alarm(
                "function-errors",
                live.metric_errors(period=_MINUTE, statistic="Sum"),
                "Invocations fail. The handler turns every exception into a response, so this is a"
                " timeout, a crash, or a function that does not start.",
            ),
            self._alarm(
                "function-throttles",
                live.metric_throttles(period=_MINUTE, statistic="Sum"),
                "Lambda throttles requests. Look at reserved concurrency and the account's limit.",
            ),
            self._alarm(
                "function-concurrency",
                live.lambda_.metric(
                    "ConcurrentExecutions", period=_MINUTE, statistic=cloudwatch.Stats.MAXIMUM
                ),
                "The function runs in nearly all environments that it may have, or needs many more"
                " than with a healthy table. Look at DynamoDB's latency, then at the traffic.",
                threshold=BUSY_SHARE
                * (reserved_concurrency or ceil(BUSY_REQUEST_S * requests_per_second)),
                minutes=3,
                bad_minutes=2,
            ),
            self._alarm(
                "function-duration-p99",
                live.metric_duration(period=_MINUTE, statistic="p99"),
                "Invocations are close to the timeout. Look at DynamoDB's latency.",
                threshold=timeout.to_milliseconds() * TIMEOUT_SHARE,
            ),
            self._alarm(
                "table-throttles",
                sum_of_operations(table, "ThrottledRequests"),
                "DynamoDB throttles requests, and players get 503. Look at the table's consumed"
                " capacity and its maximum.",
                minutes=3,
            ),
            self._alarm(
                "table-system-errors",
                sum_of_operations(table, "SystemErrors"),
                "DynamoDB returns internal errors. Look at the AWS Health Dashboard.",
                minutes=3,
                bad_minutes=2,
            ),
        ]

        for alarm in notifying:
            alarm.add_alarm_action(actions.SnsAction(self.topic))
            alarm.add_ok_action(actions.SnsAction(self.topic))
        self.all = [*notifying, *self.of_version]

    def _init_failures_metric(self, log_group: logs.ILogGroup) -> cloudwatch.IMetric:
        patterns = {
            "InitFailures": logs.FilterPattern.any_term(*INIT_FAILURES),
            "FailedInits": logs.FilterPattern.literal(FAILED_INIT),
        }
        filters = [
            logs.MetricFilter(
                self,
                construct_id,
                log_group=log_group,
                filter_pattern=pattern,
                metric_namespace=self._name_prefix,
                metric_name="InitFailures",
                metric_value="1",
                default_value=0,
            )
            for construct_id, pattern in patterns.items()
        ]
        return filters[0].metric(period=_MINUTE, statistic="Sum")

    def _server_version_errors(
        self, version: lambda_.Version, log_group: logs.ILogGroup
    ) -> cloudwatch.IMetric:
        logs.MetricFilter(
            self,
            "ServerErrors",
            log_group=log_group,
            filter_pattern=logs.FilterPattern.literal(SERVER_ERROR),
            metric_namespace=self._name_prefix,
            metric_name="ServerErrors",
            metric_value="1",
            dimensions={"Version": "$.version"},
        )
        return cloudwatch.Metric(
            namespace=self._name_prefix,
            metric_name="ServerErrors",
            dimensions_map={"Version": version.version},
            period=_MINUTE,
            statistic="Sum",
        )

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        description: str,
        *,
        threshold: float = 1,
        minutes: int = 1,
        bad_minutes: int = 1,
        suffix: str = "",
    ) -> cloudwatch.Alarm:
        return cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"{self._name_prefix}-{name}{suffix}",
            alarm_description=description,
            metric=metric,
            threshold=threshold,
            comparison_operator=(cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD),
            evaluation_periods=minutes,
            datapoints_to_alarm=bad_minutes,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
