"""Handlers of observability tools that load the real handler, which a variable names."""

from typing import Final

WRAPPERS: Final = {
    # https://docs.datadoghq.com/serverless/aws_lambda/installation/python/
    "datadog_lambda.handler.handler": "DD_LAMBDA_HANDLER",
    # https://docs.newrelic.com/docs/serverless-function-monitoring/
    "newrelic_lambda_wrapper.handler": "NEW_RELIC_LAMBDA_HANDLER",
    # https://docs.lumigo.io/docs/
    "lumigo_auto_instrument.lumigo_tracing._handler": "LUMIGO_ORIGINAL_HANDLER",
    # https://docs.sentry.io/platforms/python/integrations/aws-lambda/
    "sentry_sdk.integrations.init_serverless_sdk.sentry_lambda_handler": "SENTRY_INITIAL_HANDLER",
    # https://opentelemetry.io/docs/platforms/faas/lambda-auto-instrument/
    "otel_wrapper.lambda_handler": "ORIG_HANDLER",
}
"""A handler's name, with dots, and the variable that names the handler behind it."""


def variable_of(name: str) -> str:
    """Return the variable that names the real handler behind a wrapper; empty if it is none."""
    return WRAPPERS.get(name.replace("/", "."), "")
