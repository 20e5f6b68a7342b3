"""What is live, written down where any machine can read it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import aws_ssm as ssm
from constructs import Construct, IDependable


class ReleaseParameter(Construct):
    """An SSM parameter that says which release a stack runs; its versions say which it ran before.

    Args:
        name: the parameter's name.
        release: what it says, as JSON.
        after: everything else. It is written last, so that a deployment that fails is no release.

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
            description="What is live. Its history is what `release rollback` goes back through.",
        )
        parameter.node.add_dependency(*after)
