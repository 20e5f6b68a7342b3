"""The upload of the page in the web stack."""

from typing import Any

import pytest

from tests.support.templates import resources, waits_for, web_template


def upload(named: str) -> tuple[str, dict[str, Any]]:
    found = resources(web_template(), "Custom::CDKBucketDeployment")
    ((name, resource),) = (each for each in found.items() if each[0].startswith(f"Upload{named}"))
    return name, resource["Properties"]


def test_assets_come_before_the_page_that_names_them() -> None:
    (assets, _), (index, _) = upload("Assets"), upload("Index")
    assert assets in waits_for(web_template(), index)
    assert index not in waits_for(web_template(), assets)


def test_assets_are_kept_for_good_and_the_page_is_asked_for_every_time() -> None:
    assert upload("Assets")[1]["SystemMetadata"] == {
        "cache-control": "public, max-age=31536000, immutable"
    }
    assert upload("Index")[1]["SystemMetadata"] == {"cache-control": "no-cache"}


def test_the_edge_forgets_the_page_and_the_deployment_waits_for_that() -> None:
    (distribution,) = resources(web_template(), "AWS::CloudFront::Distribution")
    index = upload("Index")[1]
    assert index["DistributionId"] == {"Ref": distribution}
    assert index["DistributionPaths"] == ["/", "/index.html"]
    assert index["WaitForDistributionInvalidation"] is True


@pytest.mark.parametrize("part", ["Assets", "Index"])
def test_earlier_assets_stay_for_open_pages(part: str) -> None:
    assert upload(part)[1]["Prune"] is False
