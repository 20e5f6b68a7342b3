"""The SSM parameter with the live release."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import aws_ssm as ssm
from constructs import Construct, IDependable


class ReleaseParameter(Construct):
    """An SSM parameter with the release that a stack runs; its history has the earlier ones.

    Args:
        name: the parameter's name.
        release: its value, written as JSON.
        after: everything else in the stack. It is written last, so that it names no failed release.

    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        release: Mapping[str, Any],
        after: Sequence[IDependable],
    ) -> None:
        super().__init__(scope, construct_id)
        parameter = ssm.StringParameter(
            self,
            "Parameter",
            parameter_name=name,
            string_value=json.dumps(release, sort_keys=True),
            tier=ssm.ParameterTier.STANDARD,
            description="The live release. `release rollback` reads its history.",
        )
        parameter.node.add_dependency(*after)
