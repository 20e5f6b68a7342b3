"""What is said of a lifecycle policy today, held against what ECR does with it later."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from release.registry.lifecycle import KEPT_IMAGES, endangered
from release.registry.repository import StoredImage
from tests.support.release.ecr_lifecycle import meets, taken

TODAY = datetime(2026, 1, 1, tzinfo=UTC)
TAGS = st.text("ab-", min_size=1, max_size=3)
WILD = st.lists(st.sampled_from(["a*", "*b", "*-*", "a", "b-a", "*"]), min_size=1, max_size=2)
SELECTIONS = st.one_of(
    st.just({"tagStatus": "any"}),
    st.just({"tagStatus": "untagged"}),
    st.builds(lambda texts: {"tagStatus": "tagged", "tagPatternList": texts}, WILD),
    st.builds(
        lambda texts: {"tagStatus": "tagged", "tagPrefixList": texts},
        st.lists(TAGS, min_size=1, max_size=2),
    ),
)
COUNTS = st.one_of(
    st.builds(
        lambda number: {"countType": "imageCountMoreThan", "countNumber": number},
        st.sampled_from([1, 30, 99, 100, 150, 999]),
    ),
    st.builds(
        lambda number: {
            "countType": "sinceImagePushed", "countUnit": "days", "countNumber": number
        },
        st.sampled_from([1, 30, 3649, 3650, 9999]),
    ),
)  # fmt: skip
POLICIES = st.lists(st.builds(lambda one, two: one | two, SELECTIONS, COUNTS), max_size=4).map(
    lambda selections: [
        {"rulePriority": number, "selection": selection, "action": {"type": "expire"}}
        for number, selection in enumerate(selections, start=1)
    ]
)


def image(name: str, tags: frozenset[str], days: int) -> StoredImage:
    return StoredImage(f"sha256:{name}", "ACTIVE", tags, TODAY + timedelta(days=days))


def revision(number: int) -> str:
    return f"{number:040x}"


def chosen(rules: list[dict[str, Any]], number: int) -> frozenset[str]:
    """Return tags that a deployment gives: all that the rules have wildcards for."""
    patterns = [
        text
        for rule in rules
        for text in (
            *rule["selection"].get("tagPatternList", ()),
            *(f"{prefix}*" for prefix in rule["selection"].get("tagPrefixList", ())),
        )
    ]
    return frozenset(text.replace("*", f"-{number}-") for text in patterns if "*" in text)


def newer(selection: dict[str, Any], tags: frozenset[str]) -> Iterator[frozenset[str]]:
    """Yield the tags of as many images as the selection counts, which fit it."""
    for number in range(1, selection["countNumber"] + 1):
        if selection["tagStatus"] == "untagged":
            yield frozenset()
        elif meets(selection, frozenset({revision(number)})):
            yield frozenset({revision(number)})
        else:
            yield chosen([{"selection": selection}], number) | tags & {revision(0)}


@pytest.mark.proof
@given(POLICIES, st.frozensets(TAGS, max_size=2), st.booleans())
def test_what_is_in_danger_goes_one_day_by_the_rule_that_is_named(
    rules: list[dict[str, Any]], tags: frozenset[str], is_pushed_here: bool
) -> None:
    tags |= {revision(0)} if is_pushed_here else set()
    ours = image("ours", tags, 0)
    danger = endangered(json.dumps({"rules": rules}), {ours.digest: tags}).get(ours.digest)
    assume(danger)
    assert danger
    selection = rules[danger.rule - 1]["selection"]
    days = 0
    images = [ours]
    if selection["countType"] == "imageCountMoreThan":
        images += [image(str(n), more, n) for n, more in enumerate(newer(selection, tags), 1)]
    else:
        days = selection["countNumber"] + 1

    gone = taken(rules, images, TODAY + timedelta(days=days))

    assert gone.get(ours.digest) == danger.rule


@pytest.mark.proof
@given(POLICIES, st.frozensets(TAGS, max_size=2), st.booleans(), st.sampled_from([0, 49, 70, 99]))
def test_what_is_in_no_danger_stays_for_years_of_pushes_and_half_a_hundred_deployments(
    rules: list[dict[str, Any]], tags: frozenset[str], is_pushed_here: bool, since: int
) -> None:
    tags |= {revision(0)} if is_pushed_here else set()
    ours = image("ours", tags, 0)
    images = [ours, *(image(f"then{n}", chosen(rules, n), n) for n in range(1, since))]
    policy = json.dumps({"rules": rules})
    assume(not endangered(policy, {ours.digest: tags}, images))
    images += [
        image(f"later{n}", chosen(rules, n), n) for n in range(since, since + KEPT_IMAGES // 2)
    ]
    images += [image(f"pushed{n}", frozenset({revision(n)}), n) for n in range(1, 2000)]
    images += [image(f"left{n}", frozenset(), n) for n in range(1, 200)]

    assert ours.digest not in taken(rules, images, TODAY + timedelta(days=3650))
