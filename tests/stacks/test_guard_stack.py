"""The limit for each client, its alarm, and the budget, in the template."""

import json
from typing import Any

import pytest
from constructs.client_limit import REFUSED

from tests.support.cdk_context import CDK_JSON, context
from tests.support.templates import guard_template, only, resources, template_of


def guard_with(**settings: Any) -> dict[str, Any]:
    """Return the guard of stage dev, which has none by itself, with some settings."""
    stages = CDK_JSON["context"]["stages"]
    changed = {**stages, "dev": {**stages["dev"], **settings}}
    return template_of("guard", context(stage="dev", stages=changed))


def rule() -> dict[str, Any]:
    acl = only(guard_template(), "AWS::WAFv2::WebACL")
    (rule,) = acl["Rules"]
    return dict(rule)


def test_each_address_has_the_limit_of_the_settings_within_a_minute() -> None:
    assert rule()["Statement"] == {
        "RateBasedStatement": {
            "AggregateKeyType": "IP",
            "EvaluationWindowSec": 60,
            "Limit": CDK_JSON["context"]["stages"]["prd"]["requestsPerClient"],
        }
    }
    acl = only(guard_template(), "AWS::WAFv2::WebACL")
    assert (acl["Scope"], acl["DefaultAction"]) == ("CLOUDFRONT", {"Allow": {}})


def test_a_client_above_it_is_answered_as_the_api_words_errors_and_told_when_to_come_back() -> None:
    answer = rule()["Action"]["Block"]["CustomResponse"]
    body = only(guard_template(), "AWS::WAFv2::WebACL")["CustomResponseBodies"][
        answer["CustomResponseBodyKey"]
    ]
    assert (answer["ResponseCode"], body["ContentType"]) == (429, "APPLICATION_JSON")
    assert json.loads(body["Content"]) == REFUSED
    assert {header["Name"]: header["Value"] for header in answer["ResponseHeaders"]} == {
        "Retry-After": "30",
        "Cache-Control": "no-store",
    }


def test_refusals_that_last_are_an_alarm_on_the_rules_own_metric() -> None:
    alarm = only(guard_template(), "AWS::CloudWatch::Alarm")
    acl = only(guard_template(), "AWS::WAFv2::WebACL")
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/WAFV2", "BlockedRequests")
    assert {each["Name"]: each["Value"] for each in alarm["Dimensions"]} == {
        "WebACL": acl["VisibilityConfig"]["MetricName"],
        "Rule": rule()["VisibilityConfig"]["MetricName"],
    }
    assert acl["VisibilityConfig"]["MetricName"] == acl["Name"]
    (topic,) = resources(guard_template(), "AWS::SNS::Topic")
    assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": topic}]
    assert alarm["TreatMissingData"] == "notBreaching"


def test_costs_are_told_when_they_come_near_the_budget_and_when_they_will_be_above_it() -> None:
    budget = only(guard_template(), "AWS::Budgets::Budget")
    (topic,) = resources(guard_template(), "AWS::SNS::Topic")
    assert budget["Budget"] == {
        "BudgetLimit": {
            "Amount": CDK_JSON["context"]["stages"]["prd"]["monthlyBudgetUsd"],
            "Unit": "USD",
        },
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
    }
    told = budget["NotificationsWithSubscribers"]
    assert [
        (each["Notification"]["NotificationType"], each["Notification"]["Threshold"])
        for each in told
    ] == [("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)]
    for each in told:
        assert each["Subscribers"] == [{"SubscriptionType": "SNS", "Address": {"Ref": topic}}]


def test_budgets_may_publish_for_this_account_alone_and_only_where_there_is_one() -> None:
    def publishers(template: dict[str, Any]) -> dict[str, Any]:
        policy = only(template, "AWS::SNS::TopicPolicy")["PolicyDocument"]
        return {
            statement["Principal"]["Service"]: statement["Condition"]
            for statement in policy["Statement"]
            if statement["Effect"] == "Allow"
        }

    allowed = publishers(guard_template())
    assert {*allowed} == {"cloudwatch.amazonaws.com", "budgets.amazonaws.com"}
    budgets = allowed["budgets.amazonaws.com"]
    assert budgets["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert {*publishers(guard_with(requestsPerClient=100))} == {"cloudwatch.amazonaws.com"}


@pytest.mark.proof
@pytest.mark.parametrize(
    ("settings", "kinds"),
    [
        ({"requestsPerClient": 100}, ["AWS::CloudWatch::Alarm", "AWS::WAFv2::WebACL"]),
        ({"monthlyBudgetUsd": 10}, ["AWS::Budgets::Budget"]),
    ],
)
def test_each_is_there_if_its_setting_is(settings: dict[str, int], kinds: list[str]) -> None:
    found = {each["Type"] for each in guard_with(**settings)["Resources"].values()}
    assert sorted(found - {"AWS::SNS::Topic", "AWS::SNS::TopicPolicy"}) == kinds
