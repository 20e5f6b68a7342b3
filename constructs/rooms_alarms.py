"""CloudWatch alarms and their SNS topic."""

from typing import Final

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

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

_OPERATIONS: Final = ("PutItem", "GetItem", "UpdateItem", "DeleteItem")
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
        table: the table to watch.

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
        table: dynamodb.ITable,
    ) -> None:
        super().__init__(scope, construct_id)
        self._name_prefix = name_prefix
        self.topic = self._topic()
        self.of_version = [
            self._alarm(
                "version-errors",
                _version_errors(version, live),
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
                "function-duration-p99",
                live.metric_duration(period=_MINUTE, statistic="p99"),
                "Invocations are close to the timeout. Look at DynamoDB's latency.",
                threshold=timeout.to_milliseconds() * TIMEOUT_SHARE,
            ),
            self._alarm(
                "table-throttles",
                _sum_of_operations(table, "ThrottledRequests"),
                "DynamoDB throttles requests, and players get 503. Look at the table's consumed"
                " capacity and its maximum.",
                minutes=3,
            ),
            self._alarm(
                "table-system-errors",
                _sum_of_operations(table, "SystemErrors"),
                "DynamoDB returns internal errors. Look at the AWS Health Dashboard.",
                minutes=3,
                bad_minutes=2,
            ),
        ]

        for alarm in notifying:
            alarm.add_alarm_action(actions.SnsAction(self.topic))
            alarm.add_ok_action(actions.SnsAction(self.topic))
        self.all = [*notifying, *self.of_version]

    def _topic(self) -> sns.Topic:
        topic = sns.Topic(self, "Topic", topic_name=f"{self._name_prefix}-alarms", enforce_ssl=True)
        # A topic policy replaces the default one, which lets alarms publish.
        alarms = Stack.of(self).format_arn(
            service="cloudwatch",
            resource="alarm",
            resource_name=f"{self._name_prefix}-*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AllowAlarmsToPublish",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"ArnLike": {"aws:SourceArn": alarms}},
            )
        )
        return topic

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


def _version_errors(version: lambda_.Version, live: lambda_.Alias) -> cloudwatch.IMetric:
    """Return the errors of a version for the alias's callers, while it has a part of the traffic.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """
    name = version.lambda_.function_name
    return cloudwatch.Metric(
        namespace="AWS/Lambda",
        metric_name="Errors",
        dimensions_map={
            "FunctionName": name,
            "Resource": f"{name}:{live.alias_name}",
            "ExecutedVersion": version.version,
        },
        period=_MINUTE,
        statistic="Sum",
    )


def _sum_of_operations(table: dynamodb.ITable, metric_name: str) -> cloudwatch.IMetric:
    """Return the sum of a metric that DynamoDB has for each operation.

    Filled with zeros: an alarm on DynamoDB's metrics always ignores missing data, and would keep
    its state after the last request:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    metrics: dict[str, cloudwatch.IMetric] = {
        operation[0].lower() + operation[1:]: cloudwatch.Metric(
            namespace="AWS/DynamoDB",
            metric_name=metric_name,
            dimensions_map={"TableName": table.table_name, "Operation": operation},
            period=_MINUTE,
            statistic="Sum",
        )
        for operation in _OPERATIONS
    }
    return cloudwatch.MathExpression(
        expression=" + ".join(f"FILL({name}, 0)" for name in metrics),
        using_metrics=metrics,
        label=metric_name,
        period=_MINUTE,
    )
