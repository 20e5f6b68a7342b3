"""The rules, which turn facts into causes and read no source themselves.

A version rule judges one version, live or refused; a stage rule judges all facts.
"""

from collections.abc import Callable, Iterator

from release.diagnosis.cause import FailureCause
from release.diagnosis.facts import StageFacts
from release.diagnosis.rules import (
    dependencies,
    early,
    handler,
    invalid_image,
    native,
    reach,
    read_only,
    releases,
    running,
    start,
    state,
    throttling,
)
from release.diagnosis.version_facts import VersionFacts

VersionRule = Callable[[VersionFacts], Iterator[FailureCause]]
StageRule = Callable[[StageFacts], Iterator[FailureCause]]

VERSION_RULES: tuple[VersionRule, ...] = (
    state.image_is_gone,
    state.image_may_not_be_pulled,
    state.key_cannot_be_used,
    state.role_cannot_be_assumed,
    invalid_image.image_is_invalid,
    state.state_is_not_active,
    start.function_overrides_the_start,
    start.image_cannot_start,
    start.entrypoint_cannot_be_started,
    start.working_directory_is_wrong,
    read_only.writes_outside_of_tmp,
    native.native_module_is_for_another,
    handler.handler_cannot_be_loaded,
    handler.code_may_not_be_read,
    start.extension_fails,
    start.process_ends,
    running.out_of_memory,
    running.takes_too_long,
    running.init_takes_too_long,
    running.variable_is_missing,
    running.code_raises,
    dependencies.table_is_missing,
    dependencies.role_may_not_use_table,
    dependencies.table_is_unreachable,
    dependencies.table_throttles,
    dependencies.table_key_cannot_be_used,
    dependencies.answers_with_errors,
)
"""Where one of them holds, those after it are less likely to be reached."""
STAGE_RULES: tuple[StageRule, ...] = (
    reach.function_is_missing,
    throttling.throttled,
    reach.lambda_turns_away,
    reach.answers_something_else,
    reach.api_may_not_call,
    throttling.api_throttles,
    releases.stack_is_stuck,
    releases.live_is_not_what_was_released,
    releases.alarms_ring,
)
EARLY_RULES: tuple[StageRule, ...] = (
    early.never_deployed,
    early.is_under_way,
    releases.stack_is_stuck,
)
"""The only rules for a stage that has nothing live."""
