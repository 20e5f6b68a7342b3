"""The environment variables that Lambda sets: for every function, and for one that is an image.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

import uuid
from collections.abc import Mapping, Sequence
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

    Requests to AWS go to ``endpoint_url``. What differs between runtimes and images is left out:
    PATH, LANG, TZ, LAMBDA_TASK_ROOT, _HANDLER and the like.
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
    }
    if log_level:
        variables["AWS_LAMBDA_LOG_LEVEL"] = log_level
    return variables


def image_variables(environment: Mapping[str, str], *, command: Sequence[str]) -> dict[str, str]:
    """Return what the program of an image gets: ``environment``, and what Lambda adds for images.

    ``environment`` is the image's ENV and the function's own; ``command`` is CMD. ``_HANDLER`` is
    its first word, and empty where there is no CMD, also over an ENV of that name:
    https://github.com/aws/aws-lambda-ruby-runtime-interface-client/issues/56. aws-lambda-ric 4 does
    not start without it. Whether an ENV of LAMBDA_TASK_ROOT counts on Lambda is not known; here it
    does. The rest is what a function with an image printed:
    https://github.com/bruceadams/run-command-on-aws-lambda/tree/main/demo
    """
    return {
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": "/var/task",
        **environment,
        "AWS_EXECUTION_ENV": "AWS_Lambda_Image",
        "_HANDLER": command[0] if command else "",
    }
