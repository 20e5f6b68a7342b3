"""Serves the deployed HTTP API on this machine."""

import errno
import json
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from socket import SO_REUSEADDR, SOL_SOCKET, gaierror, socket
from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from contract.event import HttpApiRequest, http_api_event
from imagecheck.errors import FailedError
from lambda_runtime.runtime_api import FunctionError
from local import cors
from local.addresses import LOOPBACK, own_url
from local.deployed import DeployedApi, DeployedRoute
from local.http_server import serving_wsgi
from local.payload_v2 import GatewayResponse, gateway_response
from local.progress import ProgressReport

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
MAX_BODY_BYTES = 10 * 1024 * 1024
# As many as an account may run at once; a thread begins when there is work for it.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_INVOCATIONS = 1000

Invoke = Callable[[str, bytes], bytes | FunctionError]
"""Runs the function of an ARN on an event (JSON). Raises FunctionGoneError."""


class FunctionGoneError(Exception):
    """The function does not exist (any more)."""


class PortInUseError(FailedError):
    """Another program listens on the port."""


class HostError(FailedError):
    """The host is not an IPv4 address of this machine, nor a name of one."""


def reserve_port(port: int, host: str = LOOPBACK) -> socket:
    """Listen on a port, which a server will serve later.

    ``host`` is an IPv4 address of this machine or its name, or 0.0.0.0 for all of them. Raises
    PortInUseError or HostError.
    """
    listener = socket()
    try:
        listener.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if isinstance(error, gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise HostError(
                f"{host} is not an IPv4 address of this machine",
                hint="for all that it has: make run HOST=0.0.0.0",
            ) from error
        raise PortInUseError(
            f"port {port} is not free: {error.strerror}",
            hint=f"take another: make run PORT={port + 1}",
        ) from error
    return listener


@contextmanager
def serving(
    api: Callable[[], DeployedApi],
    invoke: Invoke,
    *,
    listener: socket,
    progress: ProgressReport,
    behind: Callable[["WSGIApplication"], "WSGIApplication"] = lambda gateway: gateway,
) -> Iterator[str]:
    """Serve an API on a reserved port and yield its URL on this machine.

    ``api`` is called for every request, and returns the same object until the API has changed.
    ``behind`` wraps the gateway in another application.
    """
    invocations = ThreadPoolExecutor(_INVOCATIONS, thread_name_prefix="invoke")
    application = behind(Gateway(api, invoke, invocations, progress))
    try:
        with serving_wsgi(application, listener=listener, name="gateway"):
            yield own_url(listener)
    finally:
        # A running invocation ends with its execution environment, which the caller closes.
        invocations.shutdown(wait=False, cancel_futures=True)


class Gateway:
    """The HTTP API as a WSGI application."""

    def __init__(
        self,
        api: Callable[[], DeployedApi],
        invoke: Invoke,
        invocations: ThreadPoolExecutor,
        progress: ProgressReport,
    ) -> None:
        """``invocations`` runs functions, so that a wait for one can time out."""
        self._api = api
        self._run = invoke
        self._invocations = invocations
        self._progress = progress
        self._routing: _Routing | None = None

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        started = time.monotonic()
        request = Request(environ)
        request.max_content_length = MAX_BODY_BYTES
        answer = self._answer(request, secrets.token_urlsafe(11) + "=")
        milliseconds = (time.monotonic() - started) * 1000
        self._progress.request(request.method, request.path, answer.status_code, milliseconds)
        return answer(environ, start_response)

    def _answer(self, request: Request, request_id: str) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        routing = self._current()
        api, configured = routing.api, routing.api.cors
        if configured is not None and request.method == "OPTIONS":
            found = GatewayResponse(
                status=HTTPStatus.NO_CONTENT, headers=cors.preflight_headers(configured, headers)
            )
            return _http(found, request_id)
        match = routing.match(request)
        if match is None:
            return _http(_message(HTTPStatus.NOT_FOUND, "Not Found"), request_id)
        try:
            body = request.get_data()
        except RequestEntityTooLarge:
            too_large = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            return _http(_message(too_large, "Request Entity Too Large"), request_id)
        route, parameters = match
        event = http_api_event(
            HttpApiRequest(
                route_key=route.key,
                method=request.method,
                path=request.path,
                query_string=request.query_string.decode("latin-1"),
                headers=headers | self._added_headers(request),
                path_parameters=parameters,
                body=body,
                protocol=request.environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
                source_ip=request.remote_addr or LOOPBACK,
                request_id=request_id,
                time=datetime.now(UTC),
                api_id=api.api_id,
                account_id=api.account_id,
                domain_name=api.domain_name,
                stage_variables=api.stage_variables,
            )
        )
        response = self._invoke(route, event)
        if configured is not None:
            kept = {
                name: value
                for name, value in response.headers.items()
                if not name.startswith("access-control-")
            }
            kept |= cors.response_headers(configured, headers)
            response = GatewayResponse(
                status=response.status, headers=kept, cookies=response.cookies, body=response.body
            )
        return _http(response, request_id)

    def _current(self) -> "_Routing":
        api = self._api()
        routing = self._routing
        if routing is None or routing.api is not api:
            routing = self._routing = _Routing(api)
        return routing

    def _added_headers(self, request: Request) -> dict[str, str]:
        forwarded = request.headers.get("X-Forwarded-For")
        address = request.remote_addr or LOOPBACK
        return {
            "x-amzn-trace-id": f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}",
            "x-forwarded-for": f"{forwarded}, {address}" if forwarded else address,
            "x-forwarded-port": request.environ.get("SERVER_PORT", ""),
            "x-forwarded-proto": "http",
        }

    def _invoke(self, route: DeployedRoute, event: object) -> GatewayResponse:
        """Invoke the function. Its error becomes 500, a timeout of the integration 503.

        cortexlabs/cortex#1225 shows the 503 as AWS sends it.
        """
        running = self._invocations.submit(self._run_route, route, json.dumps(event).encode())
        try:
            outcome = running.result(route.timeout_seconds)
        except FutureTimeoutError:
            self._progress.problem(f"no answer within the API's {route.timeout_seconds:g} seconds")
            return _message(HTTPStatus.SERVICE_UNAVAILABLE, "Service Unavailable")
        if isinstance(outcome, FunctionError):
            self._progress.problem(str(outcome))
        elif response := gateway_response(outcome):
            return response
        else:
            self._progress.problem("the function's answer is not a response of payload format 2.0")
        return _message(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error")

    def _run_route(self, route: DeployedRoute, event: bytes) -> bytes | FunctionError:
        """Invoke the function of a route; deployments may have replaced it meanwhile."""
        arn = route.function_arn
        while True:
            try:
                return self._run(arn, event)
            except FunctionGoneError:
                gone, arn = arn, self._current().routes[route.key].function_arn
                if arn == gone:
                    raise


class _Routing:
    """Finds the route of a request, in one state of the API."""

    def __init__(self, api: DeployedApi) -> None:
        self.api = api
        self.routes = {route.key: route for route in api.routes}
        self._rules = _rules(self.routes)

    def match(self, request: Request) -> tuple[DeployedRoute, Mapping[str, str]] | None:
        try:
            key, parameters = self._rules.bind("").match(request.path, request.method)
        except HTTPException:  # An HTTP API answers a wrong method with 404, too.
            default = self.routes.get("$default")
            return (default, {}) if default else None
        return self.routes[key], parameters


def _rules(routes: Mapping[str, DeployedRoute]) -> Map:
    """Return the rules for route keys: ``{name}`` is a segment, ``{name+}`` all that remain."""
    rules = Map(merge_slashes=False)
    for key in routes:
        if key == "$default":
            continue
        method, _, path = key.partition(" ")
        segments = [
            f"<path:{segment[1:-2]}>"
            if segment.endswith("+}")
            else segment.replace("{", "<").replace("}", ">")
            for segment in path.split("/")
        ]
        rule = Rule("/".join(segments), endpoint=key, methods=None if method == "ANY" else [method])
        rules.add(rule)
        if method == "GET" and rule.methods:
            rule.methods.discard("HEAD")  # werkzeug adds it; an HTTP API does not.
    return rules


def _message(status: HTTPStatus, message: str) -> GatewayResponse:
    return GatewayResponse(
        status=status,
        headers={"content-type": "application/json"},
        body=json.dumps({"message": message}).encode(),
    )


def _http(response: GatewayResponse, request_id: str) -> Response:
    answer = Response(response.body, status=response.status)
    del answer.headers["Content-Type"]
    for name, value in {**response.headers, "apigw-requestid": request_id}.items():
        answer.headers[name] = value
    for cookie in response.cookies:
        answer.headers.add("set-cookie", cookie)
    return answer
