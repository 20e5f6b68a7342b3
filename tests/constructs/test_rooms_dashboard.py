import json
from typing import Any

import pytest
from aws_cdk.assertions import Template

from app import build_app
from tests.support.cdk_context import context


@pytest.fixture(scope="module")
def widgets() -> list[dict[str, Any]]:
    app = build_app(context=context(stage="dev"))
    stack = app.node.find_child("hima-five-bomber-dev-rooms")
    (dashboard,) = (
        Template.from_stack(stack)  # type: ignore[arg-type]
        .find_resources("AWS::CloudWatch::Dashboard")
        .values()
    )
    parts = dashboard["Properties"]["DashboardBody"]["Fn::Join"][1]
    body = "".join(part if isinstance(part, str) else "REF" for part in parts)
    widgets: list[dict[str, Any]] = json.loads(body)["widgets"]
    return widgets


def test_the_alarms_are_in_the_top_row(widgets: list[dict[str, Any]]) -> None:
    assert (widgets[0]["type"], widgets[0]["y"], widgets[0]["width"]) == ("alarm", 0, 24)
    assert len(widgets[0]["properties"]["alarms"]) == 14


def test_rows_fill_the_width_and_do_not_overlap(widgets: list[dict[str, Any]]) -> None:
    rows: dict[int, list[dict[str, Any]]] = {}
    for widget in widgets:
        rows.setdefault(widget["y"], []).append(widget)
    for row in rows.values():
        assert sum(widget["width"] for widget in row) == 24


def test_every_graph_counts_in_minutes(widgets: list[dict[str, Any]]) -> None:
    for widget in widgets:
        if widget["type"] == "metric":
            for metric in widget["properties"]["metrics"]:
                assert metric[-1]["period"] == 60, widget["properties"]["title"]
