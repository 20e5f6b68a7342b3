"""The page at the root of the URL, and the API next to it, as CloudFront would serve them."""

import re

import pytest
import urllib3

from local.system import System
from tests.support.templates import only, web_template

pytestmark = pytest.mark.xdist_group("browser")

POOL = urllib3.PoolManager()


def get(url: str, **headers: str) -> urllib3.BaseHTTPResponse:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return POOL.request("GET", url, headers=sent, decode_content=False)


def test_the_page_has_the_headers_of_the_template(system: System) -> None:
    policy = only(web_template("local"), "AWS::CloudFront::ResponseHeadersPolicy")
    config = policy["ResponseHeadersPolicyConfig"]
    headers = get(system.url).headers
    security = config["SecurityHeadersConfig"]
    assert (
        headers["content-security-policy"]
        == security["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    )
    for item in config["CustomHeadersConfig"]["Items"]:
        assert headers[item["Header"]] == item["Value"]
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert headers["cache-control"] == "no-cache"


def test_everything_that_it_names_is_there_compressed_and_kept_for_good(system: System) -> None:
    named = re.findall(r'"(assets/[^"]+)"', get(system.url).data.decode())
    assert len(named) > 10
    for path in {*named}:
        found = get(f"{system.url}/{path}", accept_encoding="gzip")
        assert found.status == 200
        assert found.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert len(found.data) < 1000 or found.headers["content-encoding"] == "gzip"


def test_what_is_not_there_is_404_and_never_the_page(system: System) -> None:
    assert get(f"{system.url}/nowhere").status == 404


def test_a_method_that_no_behavior_takes_is_refused_by_the_edge(system: System) -> None:
    found = POOL.request("POST", system.url)
    assert (found.status, found.headers["x-cache"]) == (403, "Error from cloudfront")


def test_the_edge_answers_requests_within_a_second(system: System) -> None:
    made = POOL.request("POST", f"{system.url}/rooms", json={"hostName": "ひま"})
    assert made.headers["x-cache"] == "Miss from cloudfront"
    url = f"{system.url}/rooms/{made.json()['roomId']}"
    found = get(url)
    # On a slow machine a second may be over before the next request.
    while found.headers["x-cache"] != "Hit from cloudfront":
        found = get(url)
    assert get(url, if_none_match=found.headers["etag"]).status == 304


def test_the_page_is_told_that_no_other_device_reaches_it(system: System) -> None:
    assert system.shared_url is None
    assert get(f"{system.url}/local/shared-url").json() == {"url": None}
