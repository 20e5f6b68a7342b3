"""Lambda's Invoke API, for which moto would start Docker.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import base64
import json
import re
from typing import Any
from urllib.parse import unquote

from moto.awslambda.exceptions import UnknownFunctionException
from werkzeug.wrappers import Request, Response

from lambda_runtime.runtime_api import FunctionError
from local.emulated_aws.functions import Functions, ThrottledError

_PATH = re.compile(r"/2015-03-31/functions/(?P<name>[^/]+)/invocations/?")


def invoked_function(path: str) -> str | None:
    """Return the function's name or ARN from a path of Invoke; None for another path."""
    match = _PATH.fullmatch(path)
    return unquote(match["name"]) if match else None


def answer(functions: Functions, name: str, request: Request) -> Response:
    """Run the function and answer as Lambda does. Asynchronous invocations are not emulated."""
    qualifier = request.args.get("Qualifier")
    kind = request.headers.get("X-Amz-Invocation-Type", "RequestResponse")
    if kind != "RequestResponse":
        message = f"The emulated Lambda has no invocation type {kind}"
        return _refusal(400, "InvalidParameterValueException", message)
    try:
        done = functions.invoke(name, request.get_data() or b"{}", qualifier=qualifier)
    except UnknownFunctionException as error:
        return _refusal(404, "ResourceNotFoundException", str(error.message), Type="User")
    except ThrottledError:
        reason = "ReservedFunctionConcurrentInvocationLimitExceeded"
        return _refusal(429, "TooManyRequestsException", "Rate Exceeded.", Reason=reason)
    headers = {"X-Amz-Executed-Version": done.version}
    payload = done.outcome
    if isinstance(payload, FunctionError):
        headers["X-Amz-Function-Error"] = "Unhandled"
        payload = _error_payload(payload)
    if request.headers.get("X-Amz-Log-Type") == "Tail":
        headers["X-Amz-Log-Result"] = base64.b64encode(done.log_tail).decode()
    return Response(payload, 200, headers, content_type="application/json")


def _error_payload(error: FunctionError) -> bytes:
    payload: dict[str, Any] = {"errorType": error.type, "errorMessage": error.message}
    if error.stack_trace:
        payload["stackTrace"] = list(error.stack_trace)
    return json.dumps(payload, ensure_ascii=False).encode()


def _refusal(status: int, code: str, message: str, **fields: str) -> Response:
    return Response(
        json.dumps({**fields, "Message": message}),
        status,
        {"X-Amzn-ErrorType": code},
        content_type="application/json",
    )
