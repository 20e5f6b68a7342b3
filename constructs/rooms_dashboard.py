"""The CloudWatch dashboard: the place to look first."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

_MINUTE = Duration.minutes(1)
_WIDTH = 24


class RoomsDashboard(Construct):
    """Rows from the top: alarms, what players notice, function and table, logs.

    Args:
        name: the dashboard's name.
        alarms: the alarms of the top row.
        api: the API that players call.
        live: the alias behind the API.
        table: the table behind the function.
        log_group: the function's, searched for refusals and errors.

    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        alarms: Sequence[cloudwatch.IAlarm],
        api: apigatewayv2.HttpApi,
        live: lambda_.Alias,
        table: dynamodb.ITable,
        log_group: logs.ILogGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=name,
            default_interval=Duration.hours(3),
            widgets=[
                [
                    cloudwatch.AlarmStatusWidget(
                        title="Alarms", alarms=list(alarms), width=_WIDTH, height=3
                    )
                ],
                [
                    _graph(
                        "Requests",
                        [api.metric_count(period=_MINUTE)],
                        [api.metric_client_error(period=_MINUTE)],
                    ),
                    _graph("Server errors", [api.metric_server_error(period=_MINUTE)]),
                    _graph(
                        "Latency (ms)",
                        [
                            api.metric_latency(period=_MINUTE, statistic=statistic)
                            for statistic in ("p50", "p99")
                        ],
                    ),
                ],
                [
                    _graph(
                        "Function",
                        [live.metric_invocations(period=_MINUTE)],
                        [
                            live.metric_errors(period=_MINUTE),
                            live.metric_throttles(period=_MINUTE),
                            live.lambda_.metric(
                                "ConcurrentExecutions",
                                period=_MINUTE,
                                statistic=cloudwatch.Stats.MAXIMUM,
                            ),
                        ],
                    ),
                    _graph(
                        "Function duration (ms)",
                        [
                            live.metric_duration(period=_MINUTE, statistic=statistic)
                            for statistic in ("p50", "p99")
                        ],
                    ),
                    _graph(
                        "Table capacity",
                        [
                            table.metric_consumed_read_capacity_units(period=_MINUTE),
                            table.metric_consumed_write_capacity_units(period=_MINUTE),
                        ],
                    ),
                ],
                [
                    _log_table(
                        "Answers by route and code",
                        log_group,
                        "filter message = 'request'",
                        "stats count(*) as answers, pct(durationMs, 99) as p99Ms by route, code",
                        "sort answers desc",
                    ),
                    _log_table(
                        "Latest errors",
                        log_group,
                        "filter level = 'ERROR' or type = 'platform.initReport'"
                        " and record.status != 'success'",
                        "fields @timestamp, route, code, cause, trace.0, record.errorType",
                        "sort @timestamp desc",
                        "limit 20",
                    ),
                ],
            ],
        )


def _graph(
    title: str,
    left: Sequence[cloudwatch.IMetric],
    right: Sequence[cloudwatch.IMetric] = (),
) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=title, left=list(left), right=list(right), width=_WIDTH // 3
    )


def _log_table(title: str, log_group: logs.ILogGroup, *query: str) -> cloudwatch.LogQueryWidget:
    return cloudwatch.LogQueryWidget(
        title=title,
        log_group_names=[log_group.log_group_name],
        query_lines=list(query),
        width=_WIDTH // 2,
        height=8,
    )
