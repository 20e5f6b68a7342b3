"""A stack of its own for each construct."""

import pytest
from aws_cdk import App, Environment, Stack

from tests.support.cdk_context import CDK_JSON


@pytest.fixture
def stack() -> Stack:
    """An empty stack under the feature flags of ``cdk.json``."""
    app = App(context=CDK_JSON["context"])
    return Stack(app, "stack", env=Environment(region="ap-northeast-1"))
