"""The authorities that the function trusts are those that AWS publishes."""

import re

import certifi
import pytest

from tools.amazon_roots import BUNDLE, PUBLISHED, bundle, certificates, key_digest

TEXT = BUNDLE.read_text(encoding="ascii")


def test_the_file_has_the_keys_that_aws_publishes_each_under_its_name() -> None:
    assert [key_digest(certificate) for certificate in certificates(TEXT)] == [*PUBLISHED]
    assert re.findall(r"^# (.*)\n-----BEGIN", TEXT, re.MULTILINE) == [*PUBLISHED.values()]


def test_the_file_is_what_the_command_writes_and_says_from_where_and_when() -> None:
    source = re.search(r"from (certifi [\d.]+, on \d{4}-\d\d-\d\d)\.$", TEXT, re.MULTILINE)
    assert source
    assert bundle(certifi.contents(), source=source[1]) == TEXT


def test_an_authority_that_the_list_has_no_more_is_named() -> None:
    rest = "".join(certificates(TEXT)[:-1])
    with pytest.raises(ValueError, match="Starfield Services Root"):
        bundle(rest, source="a list")
