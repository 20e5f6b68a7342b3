"""The names of a stage's stacks and resources."""

from config.names import StageNames


def test_no_two_stages_share_a_name() -> None:
    for attribute in (
        "prefix",
        "registry_stack",
        "rooms_stack",
        "web_stack",
        "guard_stack",
        "delivery_stack",
        "deploy_role",
        "diff_role",
        "repository",
        "function",
        "zip_function",
        "table",
        "release_parameter",
        "api_domain_parameter",
    ):
        assert getattr(StageNames("dev"), attribute) != getattr(StageNames("prd"), attribute)


def test_another_table_is_the_only_name_that_changes() -> None:
    first, other = StageNames("dev"), StageNames("dev", "restored")
    assert (first.table, other.table) == ("hima-five-bomber-dev-rooms", "restored")
    assert other.first_table == first.table
    assert other.repository == first.repository


def test_the_two_functions_of_a_stage_have_two_names() -> None:
    assert StageNames("dev").function != StageNames("dev").zip_function


def test_a_deployed_image_is_tagged_by_stage_and_digest() -> None:
    assert StageNames("dev").deployed_tag("sha256:" + "0123456789abcdef" * 4) == (
        "deployed-dev-0123456789ab"
    )
