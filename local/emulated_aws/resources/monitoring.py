"""Alarms, and the filters that count log lines for them."""
# ruff: noqa: D102  (the methods are moto's protocol, documented once in Model)

from typing import Any

from moto.cloudwatch.models import (
    Dimension,
    Metric,
    MetricDataQuery,
    MetricStat,
    cloudwatch_backends,
)
from moto.core.common_models import CloudFormationModel
from moto.logs.models import logs_backends

from local.emulated_aws.resources.model import Model, Properties, arguments, camel


class AlarmModel(Model, CloudFormationModel):
    """Ref is the alarm's name."""

    TYPE = "AWS::CloudWatch::Alarm"
    NAME_PROPERTY = "AlarmName"
    ATTRIBUTES = ("Arn",)

    def put(self, name: str, properties: Properties) -> None:
        self.physical_resource_id = name
        backend = cloudwatch_backends[self.account_id][self.region]
        wanted = {"Dimensions": [], "AlarmActions": [], "ActionsEnabled": True} | properties
        alarm = arguments(backend.put_metric_alarm, wanted) | {
            "name": name,
            "description": properties.get("AlarmDescription"),
            "ok_actions": properties.get("OKActions"),
            "metric_data_queries": [
                _metric_query(query) for query in properties.get("Metrics", [])
            ],
        }
        self.arn = backend.put_metric_alarm(**alarm).alarm_arn

    def attribute(self, name: str) -> str:  # noqa: ARG002  (there is one)
        return self.arn

    def delete(self, *_: str) -> None:
        backend = cloudwatch_backends[self.account_id][self.region]
        backend.delete_alarms([self.physical_resource_id])


class MetricFilterModel(Model, CloudFormationModel):
    """Ref is the filter's name."""

    TYPE = "AWS::Logs::MetricFilter"
    NAME_PROPERTY = "FilterName"

    def put(self, name: str, properties: Properties) -> None:
        self.physical_resource_id, self.log_group = name, properties["LogGroupName"]
        self.delete()
        logs_backends[self.account_id][self.region].put_metric_filter(
            name,
            properties["FilterPattern"],
            self.log_group,
            camel(properties["MetricTransformations"]),
        )

    def delete(self, *_: str) -> None:
        backend = logs_backends[self.account_id][self.region]
        backend.delete_metric_filter(self.physical_resource_id, self.log_group)


def _metric_query(query: Any) -> MetricDataQuery:
    stat = None
    if "MetricStat" in query:
        metric = query["MetricStat"]["Metric"]
        dimensions = [Dimension(d["Name"], d["Value"]) for d in metric.get("Dimensions", [])]
        stat = MetricStat(
            Metric(metric["MetricName"], metric["Namespace"], dimensions),
            query["MetricStat"]["Period"],
            query["MetricStat"]["Stat"],
            query["MetricStat"].get("Unit"),
        )
    return MetricDataQuery(
        query["Id"],
        query.get("Label"),
        query.get("Period"),
        query.get("ReturnData", True),
        query.get("Expression"),
        stat,
    )
