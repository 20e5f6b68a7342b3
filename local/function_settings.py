"""A deployed function's configuration, as far as it decides how the function runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from local.lambda_variables import lambda_variables


@dataclass(frozen=True, kw_only=True)
class FunctionSettings:
    """What a deployed function's configuration says about how it runs."""

    name: str
    version: str
    arn: str
    """Its own ARN, with the version; it may be invoked by another."""
    handler: str | None
    """None for an image: its CMD says it."""
    memory_mb: int
    timeout_seconds: int
    region: str
    log_group: str
    log_format: str = "Text"
    log_level: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    def variables(self, endpoint_url: str, log_stream: str) -> dict[str, str]:
        """Return the function's own variables and those that Lambda sets for it.

        Requests to AWS go to ``endpoint_url``.
        """
        of_lambda = lambda_variables(
            name=self.name,
            version=self.version,
            memory_mb=self.memory_mb,
            region=self.region,
            log_group=self.log_group,
            log_format=self.log_format,
            log_level=self.log_level,
            endpoint_url=endpoint_url,
        )
        stream = {"AWS_LAMBDA_LOG_STREAM_NAME": log_stream}
        handler = {} if self.handler is None else {"_HANDLER": self.handler}
        return {**self.environment, **of_lambda, **stream, **handler}
