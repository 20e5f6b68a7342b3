"""The catalogue of rules is what the rules say, and the report's addresses lead into it."""

import re

import pytest
from markdown_it import MarkdownIt

from imagecheck.explain import url_of
from imagecheck.rule import SECTIONS, Rule
from imagecheck.rules import BY_ID, RULES
from tests.support.cdk_context import ROOT
from tests.support.imagecheck.corpus import CASES
from tools import rules

TESTS = ROOT / "tests/imagecheck/rules"


def test_the_committed_catalogue_is_the_generated_one() -> None:
    assert rules.PATH.read_text(encoding="utf-8") == rules.render(), (
        "docs/rules.md is stale: run `make rules`"
    )


def test_every_rule_has_an_anchor_and_a_row_that_leads_to_it() -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(rules.render())
    headings = [
        tokens[number + 1].content
        for number, token in enumerate(tokens)
        if token.type == "heading_open" and token.tag == "h3"
    ]
    # An id has no character that an anchor would lose but its case.
    assert headings == list(BY_ID)
    assert re.findall(r"\| \[([A-Z]\d+)\]\(#([a-z]\d+)\)", rules.render()) == [
        (id_, id_.lower()) for id_ in BY_ID
    ]


def test_the_address_of_a_rule_is_in_the_catalogue() -> None:
    path, _, anchor = url_of("C6").partition("#")

    assert path.endswith("/docs/rules.md")
    assert (ROOT / path[path.index("docs/") :]).is_file()
    assert anchor == "c6"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_says_all_that_a_stranger_needs(rule: Rule) -> None:
    assert rule.id[0] in SECTIONS
    assert rule.title
    assert rule.when
    assert len(rule.why) > 80
    assert rule.why.endswith(".")
    assert rule.fix.endswith(".")
    assert re.fullmatch(r"https://[\w.-]+/\S+", rule.source)
    assert rule.bad.strip()
    assert rule.good.strip()
    assert rule.bad != rule.good


def test_every_rule_has_a_test_of_its_own_and_a_bad_image() -> None:
    tests = {test.stem.removeprefix("test_") for test in TESTS.glob("test_*.py")}
    assert tests == {rule.check.__module__.rpartition(".")[2] for rule in RULES}
    found = {id_ for case in CASES for id_ in case.findings}
    assert found == set(BY_ID)
