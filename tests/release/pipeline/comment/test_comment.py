"""The comment as a whole."""

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec.structs import replace

from release.pipeline.changes.model import (
    Changes,
    DataLossRisk,
    ImageChange,
    KeptLess,
    PermissionChange,
    ResourceChange,
    StageStackChange,
    ValueChange,
)
from release.pipeline.comment.comment import MAX_CHARACTERS, _details, as_markdown
from tests.support.release.states import PIN

TABLE = "AWS::DynamoDB::Table"
SAME = StageStackChange(stack="registry", stage="dev", status="same")


def stack(stage: str = "dev", **fields: Any) -> StageStackChange:
    return StageStackChange(**{"stack": "rooms", "stage": stage, "status": "changed", **fields})


def resource(logical_id: str = "Alarm", **fields: Any) -> ResourceChange:
    given_: dict[str, Any] = {"type": "AWS::CloudWatch::Alarm", "kind": "changed", **fields}
    return ResourceChange(logical_id=logical_id, **given_)


def comment(*stacks: StageStackChange, images: Sequence[ImageChange] = (), **fields: Any) -> str:
    return as_markdown(Changes(stacks=stacks, images=tuple(images), **fields))


LOST = DataLossRisk(logical_id="Table", type=TABLE, kind="replaced", lost="every item in it")
UNPROTECTED = replace(LOST, kind="unprotected", lost_protections=("A", "B"))
LESS = KeptLess(path="Days", old="30", new="7", means="older lines are deleted", loses=True)
LOSES = replace(LOST, kind="loses data", kept_less=(LESS,))
KEPT = replace(LOST, kept_by="UpdateReplacePolicy Retain")
WIDER = PermissionChange(
    added=True,
    wider=True,
    sort="statement",
    effect="Allow",
    who=("AWS:${Role}",),
    what=("s3:*", "s3:Get"),
    on=("*",),
    condition='{"Bool":1}',
)


@pytest.mark.parametrize(
    ("stacks", "fields", "expected"),
    [
        ([SAME], {}, "No deployed stack changes."),
        (
            [stack(resources=(resource(),)), stack("prd", resources=(resource(),))],
            {},
            "1 resource changes at dev and prd; nothing stateful is replaced or removed.",
        ),
        (
            [stack(resources=(resource(), resource("Other"))), SAME],
            {},
            "2 resources change at dev; nothing stateful is replaced or removed.",
        ),
        (
            [stack(resources=(resource(),), dangers=(LOST,)), stack("prd", dangers=(KEPT,))],
            {},
            "1 resource changes at dev and prd; **1 stateful resource may be lost**.",
        ),
        (
            [stack(resources=(resource(),), dangers=(KEPT,))],
            {},
            "1 resource changes at dev; 1 stateful resource kept, but outside of the stack.",
        ),
        (
            [stack(resources=(resource(),), dangers=(UNPROTECTED,))],
            {},
            "1 resource changes at dev; nothing stateful is replaced or removed;"
            " **1 stateful resource less protected**.",
        ),
        (
            [stack(dangers=(KEPT,), resources=(resource(),)), stack("prd", dangers=(UNPROTECTED,))],
            {},
            "1 resource changes at dev and prd; 1 stateful resource kept, but outside of the stack;"
            " **1 stateful resource less protected**.",
        ),
        (
            [stack(resources=(resource(),), dangers=(LOSES, UNPROTECTED))],
            {},
            "1 resource changes at dev; **1 stateful resource loses stored data**;"
            " **1 stateful resource less protected**.",
        ),
        (
            [stack(resources=(resource(),), dangers=(KEPT, replace(LOSES, logical_id="B")))],
            {},
            "1 resource changes at dev; 1 stateful resource kept, but outside of the stack;"
            " **1 stateful resource loses stored data**.",
        ),
        (
            [
                stack(
                    resources=(resource(),), dangers=(replace(LOST, kind="may be replaced"), LOSES)
                )
            ],
            {},
            "1 resource changes at dev; **1 stateful resource may be lost**.",
        ),
        (
            [stack(resources=(resource(),), permissions=(WIDER,))],
            {},
            "1 resource changes at dev; nothing stateful is replaced or removed;"
            " **more is permitted than before**.",
        ),
        (
            [stack(others=(ValueChange(path="Outputs.A", old="1", new="2"),))],
            {},
            "No resource changes, but other parts of templates do at dev;"
            " nothing stateful is replaced or removed.",
        ),
        ([stack(status="cannot be compared", why="x")], {}, "**1 stack cannot be compared**."),
        (
            [SAME],
            {"images": [ImageChange(stage="dev", old=None, new=PIN)]},
            "No deployed stack changes; the image changes at `dev`.",
        ),
        (
            [SAME],
            {"lock_unreadable": "x"},
            "No deployed stack changes; **the images cannot be compared**.",
        ),
    ],
)
def test_the_first_line_says_what_it_is(
    stacks: list[StageStackChange], fields: dict[str, Any], expected: str
) -> None:
    assert comment(*stacks, **fields).splitlines()[0] == expected


def test_what_is_lost_comes_before_everything_else_in_red() -> None:
    text = comment(
        stack(stage="aaa", dangers=(KEPT,), resources=(resource(),)),
        stack(
            stage="bbb", dangers=(UNPROTECTED, LOST), permissions=(WIDER,), resources=(resource(),)
        ),
        images=[ImageChange(stage="dev", old=None, new=PIN)],
    )
    lines = text.splitlines()
    assert lines[2] == "> [!CAUTION]"
    assert lines[3] == (
        "> - **rooms at bbb**: `Table` (`AWS::DynamoDB::Table`) **is replaced**."
        " **Lost: every item in it.**"
    )
    assert "loses its A and B" in lines[4]
    assert "Kept, outside of the stack (UpdateReplacePolicy Retain): every item in it." in lines[5]
    titles = ["CAUTION", "- **aaa**", "### Permissions", "### Images", "<details>"]
    places = [text.index(title) for title in titles]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("danger", "removed", "expected"),
    [
        (replace(LOST, kind="removed"), False, "**is removed**. **Lost: every item in it.**"),
        (
            replace(LOST, kind="removed"),
            True,
            "is deleted if somebody deletes the stack. **Lost then:",
        ),
        (replace(LOST, kind="may be replaced"), False, "**may be replaced**. **Lost if it is:"),
        (replace(KEPT, kind="left behind"), False, "is taken out of the stack. Kept, outside of"),
        (replace(LOST, fixed_name=True), False, "the deployment fails"),
        (
            UNPROTECTED,
            False,
            "loses its A and B. **Lost if it is removed later: every item in it.**",
        ),
        (
            LOSES,
            False,
            "stays, and **loses what it stores, or a part of it**. `Days`: `30` → `7`: older lines"
            " are deleted.",
        ),
        (
            replace(UNPROTECTED, lost_protections=(), kept_less=(LESS,)),
            False,
            "(`AWS::DynamoDB::Table`) keeps its data differently. `Days`: `30` → `7`: older",
        ),
        (
            replace(UNPROTECTED, kept_less=(LESS,)),
            False,
            "every item in it.** It keeps its data differently. `Days`: `30` → `7`: older",
        ),
        (
            replace(KEPT, name="rooms", empty_one="quiz-rooms"),
            False,
            "every item in it. `quiz-rooms` begins empty in its place, unless it is there already"
            " and is imported: what is in `rooms` stays there, and nothing reads it.",
        ),
        (replace(KEPT, empty_one="Table"), False, "what is in the old one stays there"),
    ],
)
def test_every_danger_has_its_words(danger: DataLossRisk, removed: bool, expected: str) -> None:
    one = stack(dangers=(danger,), status="removed" if removed else "changed")
    assert expected in comment(one)


def test_what_cannot_be_compared_is_in_red_too() -> None:
    text = comment(
        stack(status="cannot be compared", why="it is not valid JSON"),
        odd_names=2,
        lock_unreadable="it is missing",
    )
    assert "> - **rooms at dev cannot be compared**, it is not valid JSON" in text
    assert "> - **2 snapshots cannot be compared**" in text
    assert "> - **the lock file of images cannot be read**, it is missing" in text
    assert "- **dev**: rooms cannot be compared" in text


def test_a_line_for_each_stage() -> None:
    text = comment(
        SAME,
        stack(resources=(resource(), resource("B", kind="added"), resource("C", kind="replaced"))),
        replace(SAME, stage="prd"),
        stack("new", status="added", resources=(resource(kind="added"),)),
        stack("old", status="removed", resources=(resource(kind="removed"),)),
        stack("others", others=(ValueChange(path="A", old=None, new="1"),)),
    )
    assert "- **dev**: rooms 1 replaced, 1 changed, 1 added; nothing in registry\n" in text
    assert "- **prd**: nothing changes\n" in text
    assert "- **new**: rooms is new (1 added)\n" in text
    assert "- **old**: rooms is no longer defined (1 resource; they stay until" in text
    assert "- **others**: rooms 1 other value changed\n" in text


def test_permissions_say_who_may_do_what_on_what_wider_ones_first() -> None:
    text = comment(
        stack(permissions=(replace(WIDER, added=False, wider=False), WIDER)),
        stack("prd", permissions=(WIDER,)),
    )
    first, second = text.split("### Permissions\n\n")[1].splitlines()
    assert first == (
        "- **Wider**, rooms at dev and prd: added: Allow `s3:*`, `s3:Get` on `*` to"
        ' `AWS:${Role}`, if `{"Bool":1}`'
    )
    assert second.startswith("- rooms at dev: removed: Allow")


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("managed policy", "added: managed policy `w` of `u`"),
        ("inbound rule", "added: inbound rule of `o`, `w` from `u`"),
        ("outbound rule", "added: outbound rule of `o`, `w` to `u`"),
        ("guard", "`w` of `o` is changed"),
        ("IAM Identity Center", "permission sets or assignments of IAM Identity Center"),
    ],
)
def test_every_sort_of_permission_has_its_words(sort: Any, expected: str) -> None:
    one = PermissionChange(added=True, wider=False, sort=sort, who=("u",), what=("w",), on=("o",))
    assert comment(stack(permissions=(one,))).endswith(f"- rooms at dev: {expected}")


NEXT = replace(PIN, digest="sha256:" + "2" * 64)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (ImageChange(stage="dev", old=None, new=PIN), ["first pin, `111111111111`", PIN.digest]),
        (ImageChange(stage="dev", old=PIN, new=None), ["unpinned, was `111111111111`"]),
        (
            ImageChange(stage="dev", old=PIN, new=NEXT, promoted_from="dev"),
            [
                "`111111111111` → `222222222222`",
                NEXT.digest,
                "promoted: `dev` had this image before",
            ],
        ),
        (
            ImageChange(stage="dev", old=PIN, new=replace(PIN, pinned_at="2025-01-01T00:00:00Z")),
            ["the same image", "this is a roll-back"],
        ),
        (
            ImageChange(
                stage="dev",
                old=PIN,
                new=replace(NEXT, base_digest="sha256:" + "f" * 64, source_revision="e" * 40),
            ),
            [f"base image `{PIN.base_digest}` → `sha256:ff", f"built from `{'c' * 40}` → `ee"],
        ),
    ],
)
def test_images_are_told_short_and_in_full(change: ImageChange, expected: list[str]) -> None:
    text = comment(SAME, images=[change])
    assert all(one in text for one in expected), text
    assert ("base image" in text) is (change.old is None or "base" in " ".join(expected))


def test_resources_are_told_with_their_values() -> None:
    values = (
        ValueChange(path="A.B", old="1", new="2", replaces=True),
        ValueChange(path="C", old=None, new="3"),
        ValueChange(path="D", old="4", new=None),
        ValueChange(path="E", old="5", new="5", replaces=True),
    )
    one = resource("Table", type=TABLE, kind="replaced", values=values)
    maybe = resource("Maybe", new_type="T", kind="may be replaced", values=values[:1])
    text = comment(stack(resources=(maybe, one)), stack("prd", resources=(one,)))
    assert text.split("<details>")[1].splitlines() == [
        "<summary>rooms: 1 replaced, 1 may be replaced</summary>",
        "",
        "- **replaced** at dev and prd: `Table` (`AWS::DynamoDB::Table`)",
        "  - `A.B`: `1` → `2`, which replaces it",
        "  - `C`: added `3`",
        "  - `D`: removed `4`",
        "  - `E` refers to a resource that is replaced, which replaces it",
        "- **may be replaced** at dev: `Maybe` (`AWS::CloudWatch::Alarm` → `T`)",
        "  - `A.B`: `1` → `2`, which may replace it",
        "",
        "</details>",
    ]


def test_of_many_values_the_rest_is_counted() -> None:
    values = tuple(ValueChange(path=f"P{n}", old="1", new="2") for n in range(20))
    text = comment(stack(resources=(resource(values=values),)))
    assert "`P11`" in text
    assert "`P12`" not in text
    assert "  - 8 more values" in text


def everything(text: str, many: int = 1) -> Changes:
    """Something of every kind, with this text wherever a stranger's may be."""
    pin = replace(PIN, digest=text, source_revision=text)
    values = (
        ValueChange(path=text, old=text, new=f"{text}.", replaces=True),
        ValueChange(path=text, old=None, new=text),
        ValueChange(path=text, old=text, new=None),
        ValueChange(path=text, old=text, new=text),
    )
    names = [f"{text}{n or ''}" for n in range(many)]
    one = stack(
        dangers=tuple(
            replace(
                LOST,
                logical_id=name,
                type=text,
                kind=kind,
                name=text,
                empty_one=f"{text}.",
                kept_less=(KeptLess(path=text, old=text, new=text, means="a", loses=True),),
            )
            for name in names
            for kind in ("replaced", "loses data")
        ),
        permissions=tuple(
            PermissionChange(
                added=True,
                wider=True,
                sort=sort,
                effect="Allow",
                who=(text,),
                what=(name, text),
                on=(text,),
                condition=text,
            )
            for name in names
            for sort in ("statement", "managed policy", "inbound rule", "guard")
        ),
        resources=tuple(
            resource(name, type=text, new_type=f"{text}.", kind="replaced", values=values)
            for name in names
        ),
        others=tuple(replace(values[0], path=name) for name in names),
    )
    images = [
        ImageChange(stage=stage, old=old, new=pin, promoted_from=text)
        for stage, old in itertools.product(names, (None, PIN))
    ]
    return Changes(stacks=(one, replace(one, stage="prd")), images=tuple(images))


def skeleton(markdown: str) -> list[str]:
    """Return all that a text becomes, but for what is in code."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return [line for token in tokens.parse(markdown) for line in outline(token)]


def outline(token: Token) -> list[str]:
    if token.type == "inline":
        return [line for child in token.children or () for line in outline(child)]
    return [token.type if token.type == "code_inline" else f"{token.type} {token.content}"]


HOSTILE = st.lists(
    st.sampled_from(
        ["`", "``", "\n", "\n\n", "\r", "|", "\\", "<b>", "</details>", "<!--", "-->", "@org/team"]
        + ["[a](https://example.com)", "https://example.com", "#1", "- ", "> ", "***", "_", "~~"]
        + ["$", "&amp;", "\u202e", "\u2028", "\x00", "\x1b", "\ud800", "a", " ", "\t", "| - |"]
    ),
    min_size=1,
    max_size=12,
).map("".join)


@pytest.mark.proof
@settings(deadline=None)
@given(HOSTILE | st.text(min_size=1))
def test_no_text_gets_out_of_its_place(text: str) -> None:
    # What msgspec cannot write never comes from a template: such text is refused.
    clean = text.encode(errors="ignore").decode() or "a"
    assert skeleton(as_markdown(everything(clean))) == skeleton(as_markdown(everything("benign")))


@pytest.mark.proof
@pytest.mark.parametrize("text", ["a", "`" * 200, "\u202e" * 200])
def test_what_is_too_long_is_cut_from_its_end(text: str) -> None:
    markdown = as_markdown(everything(text, many=300))
    assert len(markdown) <= MAX_CHARACTERS
    assert markdown.startswith("300 resources change at dev and prd; **300 stateful resources")
    assert "- **dev**: rooms 300 replaced, 300 other values changed\n" in markdown
    assert markdown.count("<details>") == markdown.count("</details>")
    assert "more, left out because the comment is too long" in markdown.split("<details>")[1]


def test_the_top_is_whole_where_the_rest_is_cut() -> None:
    one = everything("a" * 100, many=60).stacks[0]
    dangers = tuple(replace(LOST, logical_id=f"{'a' * 100}{n}", type="a" * 100) for n in range(60))
    markdown = comment(replace(one, permissions=(), dangers=dangers))
    top, details = markdown.split("<details>")
    assert top.count("> - **rooms at dev**") == 60
    assert "left out" not in top
    assert "- **replaced**" in details


@pytest.mark.proof
def test_whatever_is_left_is_not_exceeded() -> None:
    one = stack(resources=tuple(resource(f"A{n:03}") for n in range(100)))
    changes = Changes(stacks=(one, replace(one, stack="web")), images=())
    for budget in range(1_000, 8_000, 37):
        assert len("\n".join(_details(changes, budget))) <= budget


@pytest.mark.proof
def test_every_stack_has_its_part_of_what_is_left() -> None:
    stacks = [replace(everything("b" * 150, many=300).stacks[0], dangers=(), permissions=())]
    stacks.append(replace(stacks[0], stack="web"))
    parts = comment(*stacks).split("<details>")[1:]
    shown = [part.count("- **replaced**") for part in parts]
    assert len(shown) == 2
    assert min(shown) > 10
    for part in parts:
        assert f"- {600 - part.count('- **replaced**')} more, left out" in part
