"""CORS headers of an HTTP API.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
"""

from collections.abc import Mapping

from local.deployed import Cors


def preflight_headers(cors: Cors, request_headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers for OPTIONS; none unless it is a preflight, which names a method."""
    headers = response_headers(cors, request_headers)
    if not headers or "access-control-request-method" not in request_headers:
        return {}
    lists = {
        "access-control-allow-methods": cors.allow_methods,
        "access-control-allow-headers": cors.allow_headers,
    }
    headers |= {name: ",".join(values) for name, values in lists.items() if values}
    if cors.max_age_seconds is not None:
        headers["access-control-max-age"] = str(cors.max_age_seconds)
    return headers


def response_headers(cors: Cors, request_headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers to add to a response; none unless an allowed Origin was sent."""
    origin = request_headers.get("origin")
    if not origin or not _allowed(origin, cors):
        return {}
    headers = {"access-control-allow-origin": "*" if "*" in cors.allow_origins else origin}
    if cors.allow_credentials:
        headers["access-control-allow-credentials"] = "true"
    if cors.expose_headers:
        headers["access-control-expose-headers"] = ",".join(cors.expose_headers)
    return headers


def _allowed(origin: str, cors: Cors) -> bool:
    """Return whether CORS allows an origin: by name, by scheme (``https://*``), or by ``*``."""
    scheme = origin.partition("://")[0]
    return bool({"*", origin, f"{scheme}://*"} & set(cors.allow_origins))
