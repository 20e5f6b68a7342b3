"""The live version of a stage, read from AWS."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from config.project import Stage
from imagecheck.image.aws import aws_errors

Packaging = Literal["image", "zip"]

ALIAS: Final = "live"
"""The alias that traffic goes to."""

_PACKAGINGS: Final[Mapping[str, Packaging]] = {"Image": "image", "Zip": "zip"}


@dataclass(frozen=True)
class Stack:
    """A stack. ``status`` is CloudFormation's word for it, ``outputs`` are by name.

    ``updated_at`` is when it was last changed, or made.
    """

    name: str
    status: str
    outputs: Mapping[str, str]
    updated_at: datetime


@dataclass(frozen=True)
class Live:
    """The version that alias ``live`` points to.

    ``digest`` is that of the image which Lambda runs; None where it runs a zip. ``state`` is
    ``Active``, ``Inactive``, ``Pending`` or ``Failed``. ``key`` opens the API's own address, where
    that is closed to all but the page's distribution; no text of this object has it.
    """

    function_name: str
    version: str
    packaging: Packaging
    digest: str | None
    state: str
    key: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """Say it in a few words."""
        return f"version {self.version} ({self.digest or 'a zip'})"


def read_live(stage: Stage, outputs: Mapping[str, str]) -> Live | None:
    """Return what is live; None where the stage was never deployed.

    ``outputs`` are those of its rooms stack. Raises FailedError when AWS cannot be asked.
    """
    if not outputs:
        return None
    name = outputs.get("FunctionName", stage.names.function)
    lambda_ = stage.client("lambda")
    with aws_errors(f"the function {name}"):
        try:
            alias = lambda_.get_alias(FunctionName=name, Name=ALIAS)
            function = lambda_.get_function(FunctionName=name, Qualifier=ALIAS)
        except lambda_.exceptions.ResourceNotFoundException:
            return None
    configuration = function["Configuration"]
    packaging = _PACKAGINGS[configuration.get("PackageType", "Zip")]
    resolved: str = function["Code"].get("ResolvedImageUri", "")
    return Live(
        function_name=name,
        version=alias["FunctionVersion"],
        packaging=packaging,
        digest=resolved.rpartition("@")[2] if packaging == "image" else None,
        state=configuration.get("State", "Active"),
        key=_key(configuration.get("Environment", {}).get("Variables", {})),
    )


def _key(variables: Mapping[str, str]) -> str | None:
    """Return the secret that a closed stage's function wants to see; None where it wants none."""
    if variables.get("ONLY_THROUGH_PAGE") != "true":
        return None
    return variables.get("DISTRIBUTION_KEYS", "").partition(",")[0] or None


def read_stack(stage: Stage, name: str) -> Stack | None:
    """Return a stack of a stage; None where it was never deployed.

    Raises FailedError when AWS cannot be asked.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415  (slow, and needed here only)

    cloudformation = stage.client("cloudformation")
    with aws_errors(f"the stack {name}"):
        try:
            stack: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            # What CloudFormation answers for a stack that is not there.
            if error.response["Error"]["Code"] == "ValidationError":
                return None
            raise
    return Stack(
        name=name,
        status=stack["StackStatus"],
        outputs={output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])},
        updated_at=stack.get("LastUpdatedTime", stack["CreationTime"]),
    )


def stack_outputs(stage: Stage) -> Mapping[str, str]:
    """Return the outputs of a stage's rooms stack, by name; empty where it was never deployed.

    Raises FailedError when AWS cannot be asked.
    """
    stack = read_stack(stage, stage.names.rooms_stack)
    return stack.outputs if stack else {}
