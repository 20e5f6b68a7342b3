"""Whether the account can reserve what a stage reserves, before CloudFormation would be refused."""

from typing import Any

import msgspec
import pytest
from botocore.stub import Stubber

from config.names import StageNames
from config.project import Stage
from config.settings import read_settings
from imagecheck.image.aws import AwsError
from release.deploy.preflight import require_concurrency
from release.errors import RefusedError
from tests.support.cdk_context import CDK_JSON
from tests.support.release.diagnosis_clients import client_of

FUNCTION = StageNames("prd").function


def stage(reserved: int | None) -> Stage:
    settings = read_settings(CDK_JSON["context"]["stages"], "prd")
    changed = {"region": "ap-northeast-1", "reserved_concurrency": reserved}
    return Stage(StageNames("prd"), msgspec.structs.replace(settings, **changed))


def require(reserved: int | None, total: int, free: int, own: int | None = None) -> None:
    """Ask in an account with these limits; ``own`` is what the function has reserved already."""
    asking, client = stage(reserved), client_of("lambda")
    asking._clients["lambda", "ap-northeast-1"] = client
    limit = {"ConcurrentExecutions": total, "UnreservedConcurrentExecutions": free}
    with Stubber(client) as stubber:
        stubber.add_response("get_account_settings", {"AccountLimit": limit}, {})
        if own is None:
            stubber.add_client_error("get_function_concurrency", "ResourceNotFoundException")
        else:
            found: Any = {"ReservedConcurrentExecutions": own} if own else {}
            stubber.add_response("get_function_concurrency", found, {"FunctionName": FUNCTION})
        require_concurrency(asking, FUNCTION)
        stubber.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("total", "free", "own"),
    [(1000, 1000, None), (200, 200, 0), (200, 100, 100), (1000, 150, 50)],
)
def test_an_account_that_has_as_many_to_reserve_is_enough(
    total: int, free: int, own: int | None
) -> None:
    require(100, total, free, own)


@pytest.mark.parametrize(
    ("total", "free", "own", "told"),
    [
        (10, 10, None, "has 0 of its 10 to reserve: Lambda keeps 10 for all other functions"),
        (199, 199, None, "has 99 of its 199 to reserve: Lambda keeps 100"),
        (1000, 150, 0, "has 50 of its 1000 to reserve"),
        (1000, 150, 49, "has 99 of its 1000 to reserve"),
    ],
)
def test_any_other_is_refused_with_both_ways_out(
    total: int, free: int, own: int | None, told: str
) -> None:
    with pytest.raises(RefusedError, match=told) as refused:
        require(100, total, free, own)
    assert "--quota-code L-B99A9384" in str(refused.value.hint)
    assert 'remove "reservedConcurrency" from context.stages.prd' in str(refused.value.hint)


def test_a_stage_that_reserves_nothing_asks_nothing() -> None:
    asking = stage(None)
    require_concurrency(asking, FUNCTION)
    assert not asking._clients


def test_where_it_cannot_be_asked_nothing_is_deployed() -> None:
    asking, client = stage(100), client_of("lambda")
    asking._clients["lambda", "ap-northeast-1"] = client
    with Stubber(client) as stubber:
        stubber.add_client_error("get_account_settings", "AccessDeniedException")
        with pytest.raises(AwsError, match="the account's concurrency"):
            require_concurrency(asking, FUNCTION)
