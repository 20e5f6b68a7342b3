"""The Region of the environment, for stages whose settings name none: as the CDK CLI finds it.

https://docs.aws.amazon.com/cdk/v2/guide/configure-env.html
"""

import os
import re
from typing import Final

from config.settings import REGION_PATTERN, ConfigurationError
from imagecheck.image.aws import aws_errors

# In the CLI's order. boto3 knows only the third.
_VARIABLES: Final = ("AWS_REGION", "AMAZON_REGION", "AWS_DEFAULT_REGION", "AMAZON_DEFAULT_REGION")


def environment_region() -> str | None:
    """Return the Region that a variable names, else the AWS profile, else the profile ``default``.

    None: there is none. Where the CDK CLI then takes us-east-1, or that of the EC2 instance, a
    person has to say it.

    Raises:
        ConfigurationError: a variable holds something else than the name of a Region.
        AwsError: the profile is not there, or AWS's files cannot be read.

    """
    for variable in _VARIABLES:
        if region := os.environ.get(variable):
            return _checked(region, variable)
    return _of_profile()


def _of_profile() -> str | None:
    # It takes a third of a second, and mostly a variable is set.
    import botocore.session  # noqa: PLC0415

    with aws_errors("the Region of the AWS profile"):
        session = botocore.session.get_session()
        profiles = session.full_config["profiles"]
        own, default = session.get_scoped_config(), profiles.get("default", {})
    region = own.get("region") or default.get("region")
    return _checked(region, "region in the AWS profile") if region else None


def _checked(region: str, where: str) -> str:
    if re.fullmatch(REGION_PATTERN, region):
        return region
    raise ConfigurationError(
        f"{where} is {region!r}, which is no name of a Region",
        hint="export AWS_REGION=ap-northeast-1, or another one",
    )
