import pytest
from aws_cdk import App, CfnParameter, Stack
from constructs.image_digest import ImageDigest
from hypothesis import given
from hypothesis import strategies as st

HEX = "0123456789abcdef" * 4


@given(st.text("0123456789abcdef", min_size=64, max_size=64))
def test_sha256_and_64_digits_are_a_digest(digits: str) -> None:
    assert ImageDigest(f"sha256:{digits}").value == f"sha256:{digits}"


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("latest", "is a tag"),
        ("v1.2.3", "is a tag"),
        ("repository:latest", "is a tag"),
        (f"repository@sha256:{HEX}", "is a tag or another kind"),
        ("", "is a tag"),
        (f"SHA256:{HEX}", "upper-case"),
        (f"sha256:{HEX.upper()}", "upper-case"),
        (HEX, "lacks the 'sha256:'"),
        (HEX.upper(), "lacks the 'sha256:'"),
        ("sha256:abc", "has 3 digits"),
        (f"sha256:{HEX}0", "has 65 digits"),
        ("sha256:", "has 0 digits"),
        (f"sha256:{'g' * 64}", "other characters"),
        (f"sha256:{HEX}\n", "other characters"),
        (f"sha512:{HEX}", "is a tag or another kind"),
    ],
)
def test_anything_else_is_refused_with_a_reason(value: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault) as refused:
        ImageDigest(value)
    assert repr(value) in str(refused.value)


def test_a_value_that_is_only_known_at_deployment_is_refused() -> None:
    parameter = CfnParameter(Stack(App()), "Digest").value_as_string
    for token in (parameter, f"sha256:{parameter}"):
        with pytest.raises(ValueError, match="must be known at synth"):
            ImageDigest(token)


@given(st.text())
def test_nothing_is_a_digest_by_chance(value: str) -> None:
    with pytest.raises(ValueError, match="image digest"):
        ImageDigest(value)
