"""Lambda's GetAccountSettings, which moto lacks: the account's concurrency.

https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html
"""

import json
from typing import Final

from moto.awslambda.models import lambda_backends
from werkzeug.wrappers import Response

from local.emulated_aws.account import ACCOUNT_ID, REGION

PATH: Final = "/2016-08-19/account-settings"
LIMIT: Final = 1000
"""What an account has after its first weeks; a new one may have 10."""


def answer() -> Response:
    """Answer with the limit, and what functions have not reserved of it; under the lock."""
    functions = lambda_backends[ACCOUNT_ID][REGION].list_functions()
    # Each version is listed, and a reservation is its function's.
    reserved = {each.function_name: each.reserved_concurrency or 0 for each in functions}
    limits = {
        "ConcurrentExecutions": LIMIT,
        "UnreservedConcurrentExecutions": LIMIT - sum(reserved.values()),
    }
    return Response(json.dumps({"AccountLimit": limits}), content_type="application/json")
