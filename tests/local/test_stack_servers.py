"""Outputs of stacks name where the API is served on this machine, and it is served there."""

import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.names import StageNames
from local import background
from local.addresses import LOOPBACK
from local.cloud import Cloud, emulated_cloud
from local.emulated_aws import served_stacks
from local.emulated_aws.patching import patched
from local.gateway import reserve_port
from local.practice.stack_servers import StackServers
from tests.support.local.emulated_functions import deploy
from tests.support.local.word_api import get, put

DEV, PRD = StageNames("dev"), StageNames("prd")
DOMAIN = {"Fn::GetAtt": ["Distribution", "DomainName"]}
URL = {"PageUrl": {"Value": {"Fn::Join": ["", ["https://", DOMAIN]]}}}
OTHER_ADDRESS = "127.0.0.2"
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"


class Practice:
    """An account, the servers of its stacks, and what these have said."""

    def __init__(self, cloud: Cloud, first_page_port: int) -> None:
        # Other devices are the rest of the loopback network, which Linux has whole.
        self.cloud = cloud
        self.said: list[str] = []
        self.problems: list[str] = []
        self.servers = StackServers(
            cloud,
            first_page_port=first_page_port,
            host="0.0.0.0",
            progress=self,
            say=self.said.append,
        )

    def step(self, what: str, seconds: float) -> None: ...

    def request(self, method: str, path: str, status: int, milliseconds: float) -> None: ...

    def problem(self, text: str) -> None:
        self.problems.append(text)

    def deploy_api(self, stage: StageNames, word: str) -> str:
        """Deploy an API that says a word, and return its URL."""
        put(self.cloud, f"{stage.stage}-{word}", word, stack=stage.rooms_stack)
        return self.cloud.outputs(stage.rooms_stack)["ApiUrl"]

    def deploy_page(self, stage: StageNames, outputs: dict[str, Any] = URL, **config: Any) -> str:
        """Deploy a distribution, whose only origin is the API of the stage, and return its URL."""
        rooms = self.cloud.read_api(stage.rooms_stack)
        behavior = {
            "TargetOriginId": "api",
            "CachePolicyId": CACHING_DISABLED,
            "ViewerProtocolPolicy": "redirect-to-https",
        }
        whole = {
            "Aliases": ["play.example.com"],
            "Origins": [{"Id": "api", "DomainName": rooms.domain_name, "CustomOriginConfig": {}}],
            "DefaultCacheBehavior": behavior,
            **config,
        }
        distribution = {
            "Type": "AWS::CloudFront::Distribution",
            "Properties": {"DistributionConfig": whole},
        }
        resources = {"Distribution": distribution}
        deploy(self.cloud.client, resources, name=stage.web_stack, outputs=outputs)
        return self.cloud.outputs(stage.web_stack)["PageUrl"]

    def destroy(self, stack: str) -> None:
        self.cloud.client("cloudformation").delete_stack(StackName=stack)


@pytest.fixture
def first_page_port() -> int:
    with reserve_port(0) as free:
        port: int = free.getsockname()[1]
        return port


@pytest.fixture
def practice(tmp_path: Path, first_page_port: int) -> Iterator[Practice]:
    with emulated_cloud(tmp_path) as cloud:
        practice = Practice(cloud, first_page_port)
        with patched(served_stacks.patches(practice.servers)):
            yield practice
        practice.servers.close()


def port(url: str) -> int:
    return int(url.rpartition(":")[2])


@pytest.mark.proof
def test_every_stack_is_served_where_its_output_says_and_later_deployments_too(
    practice: Practice,
) -> None:
    urls = [practice.deploy_api(DEV, "one"), practice.deploy_api(PRD, "two")]
    assert [get(url) for url in urls] == ["one", "two"]
    assert practice.deploy_api(DEV, "three") == urls[0]
    assert [get(url) for url in urls] == ["three", "two"]
    assert practice.said == [
        f"{stage.rooms_stack} is served at {url}"
        for stage, url in zip((DEV, PRD), urls, strict=True)
    ]


@pytest.mark.proof
def test_a_page_has_its_own_port_for_all_devices_and_the_api_of_its_stage_behind_it(
    practice: Practice,
) -> None:
    for stage, word in ((DEV, "one"), (PRD, "two")):
        api = practice.deploy_api(stage, word)
        page = practice.deploy_page(stage)
        assert api != page
        assert get(page) == word
        assert get(f"http://{OTHER_ADDRESS}:{port(page)}") == word
        with pytest.raises(urllib.error.URLError, match="refused"):
            get(f"http://{OTHER_ADDRESS}:{port(api)}")


@pytest.mark.proof
def test_what_is_destroyed_is_gone_and_what_is_deployed_again_is_back(practice: Practice) -> None:
    gone, stays = practice.deploy_api(DEV, "one"), practice.deploy_api(PRD, "two")
    assert get(gone) == "one"
    practice.destroy(DEV.rooms_stack)
    practice.servers.join()
    with pytest.raises(urllib.error.URLError, match="refused"):
        get(gone)
    assert f"{DEV.rooms_stack} is gone" in practice.said
    assert get(stays) == "two"
    assert get(practice.deploy_api(DEV, "three")) == "three"


@pytest.mark.proof
def test_pages_take_the_first_port_and_then_the_next_free_ones(
    practice: Practice, first_page_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A server takes its time to end, and the next one waits for its port.
    monkeypatch.setattr(background, "POLL_SECONDS", 1)
    for stage in (DEV, PRD):
        practice.deploy_api(stage, "word")
    first = port(practice.deploy_page(DEV))
    assert first == first_page_port
    assert port(practice.deploy_page(PRD)) > first
    practice.destroy(DEV.web_stack)
    assert port(practice.deploy_page(DEV)) == first
    practice.destroy(DEV.web_stack)
    practice.servers.join()
    with reserve_port(first):
        assert port(practice.deploy_page(DEV)) > first


def test_only_urls_of_what_is_served_change(practice: Practice) -> None:
    outputs: dict[str, Any] = {
        "PageUrl": {"Value": {"Fn::Join": ["", ["https://", DOMAIN]]}},
        "RoomUrl": {"Value": {"Fn::Join": ["", ["https://", DOMAIN, "/room?a=1"]]}},
        "OwnUrl": {"Value": "https://play.example.com"},
        "Domain": {"Value": DOMAIN},
        "Other": {"Value": "https://play.example.com.evil.example"},
    }
    practice.deploy_api(DEV, "word")
    url = practice.deploy_page(DEV, outputs)
    found = practice.cloud.outputs(DEV.web_stack)
    assert url.startswith(f"http://{LOOPBACK}:")
    assert found["OwnUrl"] == url
    assert found["RoomUrl"] == f"{url}/room?a=1"
    assert found["Domain"].endswith(".cloudfront.net")
    assert found["Other"] == outputs["Other"]["Value"]


@pytest.mark.proof
def test_a_stack_that_cannot_be_served_says_why_and_is_served_once_it_can(
    practice: Practice,
) -> None:
    practice.deploy_api(DEV, "word")
    practice.deploy_page(DEV, CustomErrorResponses=[{"ErrorCode": 404, "ResponsePagePath": "/x"}])
    deadline = time.monotonic() + 60
    while not practice.problems and time.monotonic() < deadline:
        time.sleep(0.01)
    assert practice.problems == [
        f"{DEV.web_stack} cannot be served: the edge does not support error pages, which the"
        " distribution has"
    ]
    assert get(practice.deploy_page(DEV)) == "word"
