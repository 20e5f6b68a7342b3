"""Nothing is deployed while an image that is in use has gone, or can be taken away (A5, A6)."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.project import Stage
from imagecheck.errors import FailedError
from local.docker_registry import running_registry
from release.errors import RefusedError
from release.registry.guard import guard
from release.registry.repository import StageRepository
from tests.release.registry.test_push import pushed
from tests.support.imagecheck.images import File, layer_of, write_image
from tests.support.release.emulated_ecr import (
    HOST,
    EmulatedEcr,
    emulated_ecr,
    use_credentials_of_nobody,
)
from tests.support.release.emulated_lambda import EmulatedFunction, emulated_lambda

NAME = "hima-five-bomber-dev-rooms"
URI = f"{HOST}/{NAME}"
GONE = "sha256:" + "9" * 64
UNTAGGED = {
    "rulePriority": 1,
    "description": "Failed pushes",
    "selection": {
        "tagStatus": "untagged",
        "countType": "sinceImagePushed",
        "countUnit": "days",
        "countNumber": 7,
    },
    "action": {"type": "expire"},
}
NEWEST = {
    "rulePriority": 2,
    "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 50},
    "action": {"type": "expire"},
}
DEPLOYED = {
    "rulePriority": 2,
    "selection": {
        "tagStatus": "tagged",
        "tagPatternList": ["deployed-*"],
        "countType": "imageCountMoreThan",
        "countNumber": 50,
    },
    "action": {"type": "expire"},
}

OLD = {
    "rulePriority": 4,
    "selection": {
        "tagStatus": "any",
        "countType": "sinceImagePushed",
        "countUnit": "days",
        "countNumber": 30,
    },
    "action": {"type": "expire"},
}


def keeping(pattern: str, count: int, *, number: int = 1) -> dict[str, object]:
    return {
        "rulePriority": number,
        "description": "Keep",
        "selection": {
            "tagStatus": "tagged",
            "tagPatternList": [pattern],
            "countType": "imageCountMoreThan",
            "countNumber": count,
        },
        "action": {"type": "expire"},
    }


@pytest.fixture(autouse=True)
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_credentials_of_nobody(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_registry(tmp_path_factory.mktemp("registry")) as host:
        yield host


@pytest.fixture(autouse=True)
def ecr(registry: str) -> Iterator[EmulatedEcr]:
    with emulated_ecr(registry, [NAME]) as ecr:
        yield ecr


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatedFunction]:
    with emulated_lambda(EmulatedFunction(NAME), monkeypatch) as function:
        yield function


@pytest.fixture(scope="module")
def digests(registry: str, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Three images, each under a tag as `push` gives it."""
    folder = tmp_path_factory.mktemp("images")
    images = [
        write_image(folder / str(number), [layer_of(File("app", f"{number}"))])
        for number in range(3)
    ]
    return [pushed(image.reference, registry, NAME, image.digest[7:47]).digest for image in images]


def uri(digest: str) -> str:
    return f"{URI}@{digest}"


def set_policy(ecr: EmulatedEcr, *rules: object) -> None:
    text = json.dumps({"rules": rules}).ljust(100)
    ecr.client.put_lifecycle_policy(repositoryName=NAME, lifecyclePolicyText=text)


@pytest.mark.proof
@pytest.mark.usefixtures("function")
def test_a_first_deployment(stage: Stage, ecr: EmulatedEcr, digests: list[str]) -> None:
    set_policy(ecr, UNTAGGED)
    assert guard(stage, [digests[0]]) == ()


def test_all_that_is_used_is_there_and_safe(
    stage: Stage, ecr: EmulatedEcr, digests: list[str], function: EmulatedFunction
) -> None:
    set_policy(ecr, UNTAGGED)
    old, live, new = digests
    function.versions = {"$LATEST": uri(live), "1": uri(old), "2": uri(live)}
    function.live = "2"
    assert guard(stage, [new]) == ()


def test_a_zip_function_uses_no_image(
    stage: Stage, digests: list[str], function: EmulatedFunction
) -> None:
    function.versions = {"$LATEST": None, "1": None}
    function.live = "1"
    assert guard(stage, digests[:1]) == ()


@pytest.mark.usefixtures("function")
@pytest.mark.parametrize(("status", "said"), [(None, "is not in"), ("ARCHIVED", "is archived in")])
def test_what_is_to_be_deployed_has_to_be_there(
    stage: Stage, ecr: EmulatedEcr, digests: list[str], status: str | None, said: str
) -> None:
    digest = digests[0] if status else GONE
    if status:
        ecr.status[digest] = status
    with pytest.raises(RefusedError, match=rf"{digest} {said} .*\(used by the lock file\)"):
        guard(stage, [digest])


@pytest.mark.parametrize("gone", ["live", "shifting", "latest"])
def test_what_cloudformation_goes_back_to_has_to_be_there(
    stage: Stage, digests: list[str], function: EmulatedFunction, gone: str
) -> None:
    """Rule A6. Of a deployment that is under way, both versions; and what $LATEST has."""
    function.versions = {"$LATEST": uri(digests[0]), "1": uri(digests[1]), "2": uri(digests[2])}
    function.live, function.weights = "1", {"2": 0.1}
    version = {"live": "1", "shifting": "2", "latest": "$LATEST"}[gone]
    function.versions[version] = uri(GONE)
    with pytest.raises(RefusedError, match="--skip-lifecycle") as refused:
        guard(stage, [digests[0]])
    assert f"{GONE} is not in {URI}" in str(refused.value)
    name = {
        "live": "version 1 (live)", "shifting": "version 2 (live)",
        "latest": "the function as it is now",
    }[gone]  # fmt: skip
    assert f"(used by {name})" in str(refused.value)


def test_what_old_versions_alone_have_lost_is_a_warning(
    stage: Stage, digests: list[str], function: EmulatedFunction
) -> None:
    function.versions = {"$LATEST": uri(digests[0]), "1": uri(GONE), "2": uri(digests[0])}
    function.live = "2"
    (warning,) = guard(stage, [digests[1]])
    assert GONE in warning
    assert "version 1" in warning


@pytest.mark.parametrize("rule", [NEWEST, DEPLOYED])
def test_a_rule_that_can_take_an_image_is_named(
    stage: Stage, ecr: EmulatedEcr, digests: list[str], function: EmulatedFunction, rule: object
) -> None:
    """Rule A5: whichever version uses it. The tag that it is about to get counts too."""
    set_policy(ecr, UNTAGGED, rule)
    function.versions = {"$LATEST": uri(digests[1]), "7": uri(digests[1]), "8": uri(digests[0])}
    function.live = "7"
    with pytest.raises(RefusedError) as refused:
        guard(stage, [digests[0]])
    text = str(refused.value)
    assert f"{digests[0]}, used by the lock file, version 8: rule 2" in text
    assert f"can expire it from {URI}" in text
    assert "aws ecr put-lifecycle-policy --repository-name hima-five-bomber-dev-rooms" in text
    live = f"{digests[1]}, used by the function as it is now, version 7 (live): rule 2"
    assert (live in text) is (rule is NEWEST)


@pytest.mark.proof
@pytest.mark.parametrize("rule", [NEWEST, OLD])
def test_a_rule_that_keeps_what_is_deployed_keeps_it_from_all_later_rules(
    stage: Stage, ecr: EmulatedEcr, digests: list[str], function: EmulatedFunction, rule: object
) -> None:
    """Also one for a tag that only one image can have, whatever its number."""
    old, live, new = digests
    only = keeping(stage.names.deployed_tag(old), 1, number=2)
    set_policy(ecr, UNTAGGED | {"rulePriority": 3}, keeping("deployed-*", 9999), only, rule)
    repository = StageRepository(stage)
    for digest in (old, live):
        repository.add_tag(digest, stage.names.deployed_tag(digest))
    function.versions, function.live = {"1": uri(old), "2": uri(live)}, "2"

    assert guard(stage, [new]) == ()


@pytest.mark.usefixtures("function")
def test_a_rule_that_keeps_too_few_is_named_and_not_the_one_that_it_keeps_the_image_from(
    stage: Stage, ecr: EmulatedEcr, digests: list[str]
) -> None:
    set_policy(ecr, keeping("deployed-*", 5), NEWEST)
    with pytest.raises(RefusedError) as refused:
        guard(stage, [digests[0]])
    text = str(refused.value)
    assert (
        f'rule 1 ("Keep": tags deployed-*) can expire it from {URI}: it keeps the newest 5' in text
    )
    assert "rule 2" not in text
    assert "keeps the newest 100 or more" in text


@pytest.mark.proof
def test_a_live_image_that_many_newer_ones_push_out_is_in_danger(
    stage: Stage, ecr: EmulatedEcr, digests: list[str], function: EmulatedFunction
) -> None:
    """An old version that alone has such an image is what the rule is meant to let go."""
    set_policy(ecr, keeping("deployed-*", 100))
    repository = StageRepository(stage)
    repository.add_tag(digests[1], stage.names.deployed_tag(digests[1]))
    ecr.later = [[f"deployed-dev-{number:012}"] for number in range(120)]
    function.versions, function.live = {"1": uri(digests[1]), "2": uri(digests[0])}, "1"
    with pytest.raises(RefusedError) as refused:
        guard(stage, [digests[2]])
    assert f"{digests[1]}, used by version 1 (live): rule 1" in str(refused.value)

    function.live = None
    with pytest.raises(RefusedError) as refused:
        guard(stage, [digests[2]])
    assert digests[1] not in str(refused.value)


@pytest.mark.proof
def test_what_is_live_without_a_tag_is_in_danger(
    stage: Stage, ecr: EmulatedEcr, digests: list[str], function: EmulatedFunction, tmp_path: Path
) -> None:
    """What is to be deployed gets a tag; nobody gives one to what is there."""
    set_policy(ecr, UNTAGGED)
    layer = layer_of(File("app", f"{tmp_path} untagged"))
    image = write_image(tmp_path / "untagged", [layer])
    pushed(image.reference, ecr.registry, NAME, None)
    assert guard(stage, [image.digest]) == ()

    function.versions, function.live = {"1": uri(image.digest)}, "1"
    with pytest.raises(RefusedError, match="Failed pushes"):
        guard(stage, [digests[0]])


@pytest.mark.proof
def test_images_of_elsewhere_are_not_looked_at(
    stage: Stage, digests: list[str], function: EmulatedFunction
) -> None:
    elsewhere = f"{HOST}/other@{GONE}"
    function.versions, function.live = {"1": elsewhere}, "1"
    (warning,) = guard(stage, digests[:1])
    assert warning.endswith(f"runs an image of another repository, unseen here: {elsewhere}")


def test_who_may_not_ask_gets_no_answer(
    stage: Stage, digests: list[str], function: EmulatedFunction
) -> None:
    function.denied = True
    with pytest.raises(FailedError, match="may not do ListVersionsByFunction") as denied:
        guard(stage, digests[:1])
    assert "secret" not in str(denied.value)
