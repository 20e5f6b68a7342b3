"""Handlers of observability tools that load the real handler, which a variable names."""

from typing import Final

WRAPPERS: Final = {
    # datadog_lambda/handler.py of datadog_lambda 8.130.0
    "datadog_lambda.handler.handler": "DD_LAMBDA_HANDLER",
    # https://github.com/newrelic/newrelic-lambda-layers/blob/master/python/newrelic_lambda_wrapper.py
    "newrelic_lambda_wrapper.handler": "NEW_RELIC_LAMBDA_HANDLER",
    # lumigo_tracer/auto_instrument_handler.py of lumigo_tracer 1.1.257
    "lumigo_tracer.auto_instrument_handler._handler": "LUMIGO_ORIGINAL_HANDLER",
    # https://github.com/getsentry/sentry-python/blob/1.45.0/scripts/init_serverless_sdk.py
    "sentry_sdk.integrations.init_serverless_sdk.sentry_lambda_handler": "SENTRY_INITIAL_HANDLER",
    # https://github.com/open-telemetry/opentelemetry-lambda/blob/main/python/src/otel/otel_sdk/otel_wrapper.py
    "otel_wrapper.lambda_handler": "ORIG_HANDLER",
}
"""A handler's name, with dots, and the variable that names the handler behind it."""


def variable_of(name: str) -> str:
    """Return the variable that names the real handler behind a wrapper; empty if it is none."""
    return WRAPPERS.get(name.replace("/", "."), "")
