"""The environment variables that Lambda sets for every function.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

import uuid
from typing import Final

CREDENTIALS: Final = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_SESSION_TOKEN": "local",
}
"""The credentials of a function on this machine; nothing here verifies them."""


def lambda_variables(
    *,
    name: str,
    version: str,
    memory_mb: int,
    region: str,
    log_group: str,
    log_format: str,
    log_level: str | None,
    endpoint_url: str,
) -> dict[str, str]:
    """Return the variables of an execution environment; they override the function's own.

    Requests to AWS go to ``endpoint_url``. PATH, LANG, LAMBDA_TASK_ROOT and _HANDLER are left out:
    a managed runtime sets them, and an image has its own.
    """
    variables = {
        **CREDENTIALS,
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": log_format,
        "AWS_LAMBDA_LOG_GROUP_NAME": log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": f"local/[{version}]{uuid.uuid4().hex}",
        "TZ": ":UTC",
    }
    if log_level:
        variables["AWS_LAMBDA_LOG_LEVEL"] = log_level
    return variables
