"""The security headers in the template."""

from typing import Any

import pytest

from tests.support.templates import only, web_template


@pytest.fixture
def policy() -> dict[str, Any]:
    found = only(web_template(), "AWS::CloudFront::ResponseHeadersPolicy")
    return dict(found["ResponseHeadersPolicyConfig"])


def directives(policy: dict[str, Any]) -> dict[str, str]:
    text = policy["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    return dict(part.split(" ", 1) for part in text.split("; "))


def test_only_named_sources_are_loaded_and_nothing_inline(policy: dict[str, Any]) -> None:
    found = directives(policy)
    assert found["default-src"] == "'none'"
    assert found["script-src"] == found["style-src"] == found["connect-src"] == "'self'"
    assert not any("unsafe" in value or "*" in value for value in found.values())


def test_nobody_frames_it_and_no_form_is_sent_by_the_browser(policy: dict[str, Any]) -> None:
    found = directives(policy)
    assert found["frame-ancestors"] == found["form-action"] == found["base-uri"] == "'none'"
    assert policy["SecurityHeadersConfig"]["FrameOptions"]["FrameOption"] == "DENY"


def test_text_cannot_become_html(policy: dict[str, Any]) -> None:
    assert directives(policy)["require-trusted-types-for"] == "'script'"
    assert directives(policy)["trusted-types"] == "'none'"


def test_a_year_of_https_no_referrer_no_guessing_of_types(policy: dict[str, Any]) -> None:
    found = policy["SecurityHeadersConfig"]
    assert found["StrictTransportSecurity"]["AccessControlMaxAgeSec"] == 365 * 24 * 60 * 60
    assert found["ReferrerPolicy"]["ReferrerPolicy"] == "no-referrer"
    assert found["ContentTypeOptions"] == {"Override": True}


def test_no_header_of_an_origin_wins(policy: dict[str, Any]) -> None:
    headers = [
        *policy["SecurityHeadersConfig"].values(),
        *policy["CustomHeadersConfig"]["Items"],
    ]
    assert all(header["Override"] for header in headers)
