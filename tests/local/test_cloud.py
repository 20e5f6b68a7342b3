"""The API of a stack is served as it is deployed, whatever is deployed meanwhile."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cloud import Cloud, emulated_cloud
from local.deployed import DeployedApi
from local.gateway import FunctionGoneError, reserve_port, serving
from local.progress import SilentProgress
from tests.support.local.word_api import get, put


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with emulated_cloud(tmp_path) as cloud:
        yield cloud


@pytest.mark.proof
def test_a_later_deployment_is_served(cloud: Cloud) -> None:
    put(cloud, "first", "one")
    with cloud.serving("rooms") as url:
        assert get(url) == "one"
        put(cloud, "second", "two")
        assert get(url) == "two"


@pytest.mark.proof
def test_no_request_fails_while_one_function_takes_the_place_of_another(cloud: Cloud) -> None:
    put(cloud, "a", "a")
    words, over = [], threading.Event()
    with cloud.serving("rooms") as url:

        def ask() -> None:
            while not over.is_set():
                words.append(get(url))

        asking = threading.Thread(target=ask)
        asking.start()
        for name in ("b", "c", "d"):
            put(cloud, name, name)
        over.set()
        asking.join()
        assert get(url) == "d"
    assert words == sorted(words)


def test_the_environment_is_the_accounts_and_nothing_of_the_callers(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    assert cloud.environment["AWS_ENDPOINT_URL"] == cloud.account.endpoint_url
    assert "AWS_PROFILE" not in cloud.environment


@pytest.mark.proof
def test_a_request_whose_function_is_gone_by_then_goes_to_the_next(cloud: Cloud) -> None:
    """Between finding the route and invoking its function, everything may be deployed."""
    apis: list[DeployedApi] = []
    for name in ("first", "second"):
        put(cloud, name, "one")
        apis.insert(0, cloud.read_api("rooms"))
    put(cloud, "third", "two")
    with (
        reserve_port(0) as listener,
        serving(
            lambda: apis.pop() if apis else after,
            cloud._invoke,
            listener=listener,
            progress=SilentProgress(),
        ) as url,
    ):
        after = cloud.read_api("rooms")
        assert get(url) == "two"


def test_a_function_that_is_gone_has_a_name_of_its_own_for_the_gateway(cloud: Cloud) -> None:
    with pytest.raises(FunctionGoneError):
        cloud._invoke("arn:aws:lambda:ap-northeast-1:123456789012:function:nobody", b"{}")
