"""The metrics of the alarms that neither CDK nor AWS have ready."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

THROTTLED: Final = '{ $.status = "429" && $.integrationStatus != "429" }'
"""The access log's line of a request that the API itself refused, and not the function.

When it refuses very many, it does not log them all:
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging.html"""

_OPERATIONS: Final = ("PutItem", "GetItem", "UpdateItem", "DeleteItem")
_MINUTE: Final = Duration.minutes(1)


def version_errors(version: lambda_.Version, live: lambda_.Alias) -> cloudwatch.IMetric:
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


def throttled_requests(
    scope: Construct, access_log: logs.ILogGroup, *, namespace: str
) -> cloudwatch.IMetric:
    """Return the requests that the API refuses: its metric ``4xx`` has all other errors, too."""
    counted = logs.MetricFilter(
        scope,
        "Throttled",
        log_group=access_log,
        filter_pattern=logs.FilterPattern.literal(THROTTLED),
        metric_namespace=namespace,
        metric_name="ThrottledRequests",
        metric_value="1",
        default_value=0,
    )
    return counted.metric(period=_MINUTE, statistic="Sum")


def sum_of_operations(table: dynamodb.ITable, metric_name: str) -> cloudwatch.IMetric:
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
