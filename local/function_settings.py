"""The settings of a deployed function that its execution depends on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lambda_runtime.variables import lambda_variables


@dataclass(frozen=True, kw_only=True)
class FunctionSettings:
    """The settings of one version of a function."""

    name: str
    version: str
    arn: str
    """Its own ARN, with the version; invocations may use another."""
    handler: str | None
    """None for an image, whose CMD names it."""
    memory_mb: int
    timeout_seconds: int
    region: str
    log_group: str
    log_format: str = "Text"
    log_level: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    def variables(self, endpoint_url: str, log_stream: str) -> dict[str, str]:
        """Return the function's own environment variables and those that Lambda sets.

        Requests to AWS go to ``endpoint_url``.
        """
        lambda_own = lambda_variables(
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
        runtime = {} if self.handler is None else {"_HANDLER": self.handler, "TZ": ":UTC"}
        return {**self.environment, **lambda_own, **stream, **runtime}
