"""A lifecycle policy held against the images in use, as ECR would one day apply it.

The future counts, so ECR's own preview is no help: it says what would go today.
"""

import fnmatch
import json
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk.assertions import Template
from constructs.image_repository import ImageRepository
from hypothesis import given
from hypothesis import strategies as st

from imagecheck.errors import FailedError
from release.registry.lifecycle import UNTAGGED_ONLY, Danger, endangered
from release.registry.repository import StoredImage
from tests.support.errors import shows

DIGEST = "sha256:" + "1" * 64
REVISION = "0123456789abcdef0123456789abcdef01234567"
DEPLOYED = "deployed-dev-111111111111"
TAGS = st.text("ab1.-", min_size=1, max_size=4)
BY_AGE: dict[str, Any] = {"countType": "sinceImagePushed", "countNumber": 30, "countUnit": "days"}
PATTERNS = st.text("ab1.-*", min_size=1, max_size=4)


def test_the_policy_that_is_put_back_is_the_one_of_the_stack() -> None:
    stack = Stack()
    ImageRepository(stack, "Images", name="images", function_name="rooms", retain=True)
    [repository] = Template.from_stack(stack).find_resources("AWS::ECR::Repository").values()
    policy = json.loads(repository["Properties"]["LifecyclePolicy"]["LifecyclePolicyText"])

    assert json.loads(UNTAGGED_ONLY) == policy
    assert endangered(UNTAGGED_ONLY, {DIGEST: {DEPLOYED}}) == {}


def rule(priority: int = 1, status: str = "any", **more: Any) -> dict[str, Any]:
    selection = {"tagStatus": status, "countType": "imageCountMoreThan", "countNumber": 10}
    action = more.pop("action", {"type": "expire"})
    description = {"description": more.pop("description")} if "description" in more else {}
    return {
        "rulePriority": priority,
        "selection": {**selection, **more},
        "action": action,
        **description,
    }


def policy(*rules: dict[str, Any]) -> str:
    return json.dumps({"rules": list(rules)})


def danger(text: str | None, *tags: str) -> Danger | None:
    return endangered(text, {DIGEST: tags}).get(DIGEST)


def stored(day: int, tags: Collection[str]) -> StoredImage:
    """Return an image that was pushed on that day."""
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
    return StoredImage(f"sha256:{day:064}", "ACTIVE", frozenset(tags), moment)


RULES = st.one_of(
    st.builds(lambda: {"status": "any"}),
    st.builds(lambda: {"status": "untagged"}),
    st.builds(
        lambda texts: {"status": "tagged", "tagPatternList": texts},
        st.lists(PATTERNS, min_size=1, max_size=3),
    ),
    st.builds(
        lambda texts: {"status": "tagged", "tagPrefixList": texts},
        st.lists(TAGS, min_size=1, max_size=3),
    ),
)


def test_without_a_policy_nothing_is_in_danger() -> None:
    assert danger(None) is None
    assert danger(policy(), REVISION) is None


def test_our_own_rule_takes_only_what_has_no_tag() -> None:
    ours = policy(
        rule(
            1,
            "untagged",
            countType="sinceImagePushed",
            countUnit="days",
            countNumber=7,
            description="Failed pushes",
        )
    )
    assert danger(ours, REVISION) is None
    assert danger(ours, DEPLOYED) is None
    assert str(danger(ours)) == 'rule 1 ("Failed pushes": untagged) can expire it'


def test_any_takes_all() -> None:
    expected = Danger(1, "", "expire", "every image", "it keeps the newest 10")
    assert danger(policy(rule())) == expected
    assert danger(policy(rule()), REVISION, DEPLOYED)


@pytest.mark.parametrize(
    ("patterns", "tags", "fits"),
    [
        (["prod*"], ["prod"], True),
        (["prod*"], ["a-prod"], False),
        (["*prod*"], ["a-prod-1"], True),
        (["prod"], ["prod1"], False),
        (["p.od"], ["prod"], False),
        (["*"], [REVISION], True),
        (["*"], [], False),
        # All that are listed, by one tag or by several.
        (["a*", "b*"], ["a1"], False),
        (["a*", "b*"], ["a1", "b1"], True),
        (["a*", "*b"], ["ab"], True),
        (["deployed-*"], [REVISION, DEPLOYED], True),
    ],
)
def test_patterns(patterns: list[str], tags: list[str], fits: bool) -> None:
    found = danger(policy(rule(1, "tagged", tagPatternList=patterns)), *tags)
    assert bool(found) is fits
    assert not found or found.selection == "tags " + " and ".join(patterns)


def test_a_prefix_has_no_wildcards() -> None:
    assert danger(policy(rule(1, "tagged", tagPrefixList=["prod"])), "prod-1")
    assert not danger(policy(rule(1, "tagged", tagPrefixList=["prod"])), "a-prod")


def test_what_a_rule_selects_no_later_rule_takes() -> None:
    """Whichever comes first in the text."""
    keep, sweep = rule(1, "tagged", tagPrefixList=["keep"]), rule(2)
    for rules in ([keep, sweep], [sweep, keep]):
        found = danger(policy(*rules), "keep-1")
        assert found
        assert found.rule == 1
        swept = danger(policy(*rules), "other")
        assert swept
        assert swept.rule == 2


DEPLOYED_KEPT = rule(
    1, "tagged", tagPatternList=["deployed-*"], countNumber=9999, description="Keep deployed"
)


@pytest.mark.parametrize(
    "keep",
    [
        DEPLOYED_KEPT,
        rule(1, "tagged", tagPrefixList=["deployed-"], countNumber=100),
        rule(1, "tagged", tagPatternList=["*-dev-*"], countNumber=1000),
        rule(1, "tagged", tagPatternList=[DEPLOYED], countNumber=1),
        rule(1, "tagged", tagPatternList=["deployed-*", REVISION], countNumber=2),
        rule(1, "tagged", tagPatternList=["deployed-*"], **BY_AGE | {"countNumber": 3650}),
    ],
    ids=str,
)
@pytest.mark.parametrize("sweep", [rule(2), rule(2, **BY_AGE), rule(2, "untagged")], ids=str)
def test_a_rule_that_never_takes_an_image_keeps_it_from_later_rules(
    keep: dict[str, Any], sweep: dict[str, Any]
) -> None:
    assert danger(policy(sweep, keep), REVISION, DEPLOYED) is None
    if sweep["selection"]["tagStatus"] == "any":
        unkept = danger(policy(sweep, keep), "f" * 40)
        assert unkept
        assert unkept.rule == 2


@pytest.mark.parametrize(
    ("first", "limit"),
    [
        (rule(1, "tagged", tagPatternList=["deployed-*"]), "it keeps the newest 10"),
        (rule(1, "tagged", tagPatternList=["deployed-*"], **BY_AGE), "30 days after it was pushed"),
        (rule(1, "tagged", tagPatternList=[DEPLOYED], **BY_AGE), "30 days after it was pushed"),
        # A prefix is no tag: another image can have one that begins so.
        (rule(1, "tagged", tagPrefixList=[DEPLOYED], countNumber=1), "it keeps the newest 1"),
        # A hundred images that nobody chose are a few days of pushes.
        (rule(1, "tagged", tagPatternList=["*"], countNumber=9999), "it keeps the newest 9999"),
        (rule(1, "tagged", tagPatternList=["*1"], countNumber=9999), "it keeps the newest 9999"),
        (rule(1, "tagged", tagPrefixList=["0123"], countNumber=999), "it keeps the newest 999"),
        (rule(1, countNumber=9999), "it keeps the newest 9999"),
    ],
    ids=str,
)
def test_a_rule_that_takes_an_image_one_day_is_named_for_it(
    first: dict[str, Any], limit: str
) -> None:
    found = danger(policy(first, rule(2, "untagged")), REVISION, DEPLOYED)

    assert found
    assert (found.rule, found.limit) == (1, limit)


def test_a_rule_that_keeps_many_is_a_danger_to_one_of_the_older_half() -> None:
    keep = rule(1, "tagged", tagPatternList=["deployed-*"], countNumber=100)
    deployed = [stored(number, {f"deployed-dev-{number:012}"}) for number in range(60)]
    others = [stored(number, {f"{number:040}"}) for number in range(60, 200)]
    images = {image.digest: image.tags for image in deployed}

    found = endangered(policy(keep), images, [*deployed, *others])

    assert sorted(found) == [image.digest for image in deployed[:10]]
    assert endangered(policy(keep), images) == {}


def test_to_archive_is_to_take_away() -> None:
    archive = {"type": "transition", "targetStorageClass": "archive"}
    found = danger(policy(rule(3, countType="sinceImagePulled", action=archive)), REVISION)
    assert str(found) == "rule 3 (every image) can archive it"


def test_rules_for_the_archive_leave_the_rest_alone() -> None:
    assert danger(policy(rule(storageClass="archive")), REVISION) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[]",
        '{"rules": [{}]}',
        policy(rule(1, "labelled")),
        policy(rule(1, action={"type": "shred"})),
        policy(rule(1, newKindOfSelection=["x"])),
        policy(rule(1, countType="sinceImageScanned")),
        policy(rule(1, countUnit="weeks")),
        policy(rule(1, countNumber=0)),
        "[" * 100_000,
    ],
)
def test_what_is_not_known_is_not_waved_through(text: str) -> None:
    if text == "":
        assert danger(text) is None  # as if there were none: ECR gives no empty text
        return
    with pytest.raises(FailedError, check=shows("get-lifecycle-policy")):
        danger(text, REVISION)


@given(st.lists(RULES, max_size=4), st.lists(TAGS, max_size=3), st.randoms())
def test_the_rule_of_the_lowest_number_that_fits_is_named(
    kinds: list[dict[str, Any]], tags: list[str], random: Any
) -> None:
    """Held against another way to say what a selection selects."""
    rules = [rule(number, **kind, **BY_AGE) for number, kind in enumerate(kinds, start=1)]

    def fits(kind: dict[str, Any]) -> bool:
        if kind["status"] != "tagged":
            return kind["status"] == "any" or tags == []
        texts = kind.get("tagPatternList") or [f"{text}*" for text in kind["tagPrefixList"]]
        return bool(tags) and all(fnmatch.filter(tags, text) for text in texts)

    expected = next((n for n, kind in enumerate(kinds, start=1) if fits(kind)), None)
    random.shuffle(rules)

    found = danger(policy(*rules), *tags)

    assert (found.rule if found else None) == expected


@pytest.mark.proof
@given(st.lists(RULES, max_size=4), st.lists(TAGS, min_size=1, max_size=3), TAGS)
def test_a_tagged_image_in_danger_stays_so_with_one_more_tag(
    kinds: list[dict[str, Any]], tags: list[str], more: str
) -> None:
    """Age comes to all: so no tag protects from it."""
    text = policy(*(rule(number, **kind, **BY_AGE) for number, kind in enumerate(kinds, start=1)))
    if danger(text, *tags):
        assert danger(text, *tags, more)


@pytest.mark.proof
@given(st.lists(st.lists(TAGS, max_size=2), max_size=4), st.lists(RULES, max_size=3))
def test_images_do_not_matter_to_each_other(
    tags: list[list[str]], kinds: list[dict[str, Any]]
) -> None:
    text = policy(*(rule(number, **kind) for number, kind in enumerate(kinds, start=1)))
    images = {f"sha256:{number:064}": each for number, each in enumerate(tags)}
    alone = {d: found for d, each in images.items() for found in [danger(text, *each)] if found}
    assert endangered(text, images) == alone
