"""What is live at a stage, as AWS says."""

from collections.abc import Mapping

from release.aws import aws_client, aws_errors
from release.project import Stage


def stack_outputs(stage: Stage) -> Mapping[str, str]:
    """Return the outputs of a stage's rooms stack, by name; empty where it was never deployed.

    Raises CannotDoError when AWS cannot be asked.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415  (slow, and needed here only)

    name = stage.names.rooms_stack
    cloudformation = aws_client("cloudformation", stage.settings.region)
    with aws_errors(f"the stack {name}"):
        try:
            stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            # What CloudFormation answers for a stack that is not there.
            if error.response["Error"]["Code"] == "ValidationError":
                return {}
            raise
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
