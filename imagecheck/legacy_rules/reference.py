"""Section A: the name of the image, and the repository it is in."""

import re
from collections.abc import Iterator

import msgspec

from imagecheck.finding import Finding
from imagecheck.image.image import FaultKind
from imagecheck.image.reference import RegistryReference
from imagecheck.legacy_rules.legacy import error, warning
from imagecheck.subject import Subject

# ${...} is what CloudFormation fills in: the account, the Region, the suffix of the partition.
_PRIVATE_ECR = re.compile(
    r"(?:[0-9]{12}|\$\{[^}]+\})\.dkr\.ecr\.(?:[a-z0-9-]+|\$\{[^}]+\})"
    r"\.(?:amazonaws\.com(?:\.cn)?|\$\{[^}]+\})/(?P<name>[^@:]+(?:\$\{[^}]+\}[^@:]*)*)(?P<version>[@:].*)?"
)
_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}")
_LOOKS_LIKE_A_DIGEST = re.compile(r":(?:sha256[:-])?[0-9a-f]{64}|:sha256:.*", re.IGNORECASE)
_PULL = {"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}


def image_is_not_there(subject: Subject) -> Iterator[Finding]:
    """A1."""
    for fault in subject.image.faults:
        if fault.kind is FaultKind.NOT_THERE:
            yield error(
                "A1",
                f"{fault.text}. Lambda answers: Source image … does not exist.",
                "push the image first, and take the digest from what the push answers",
            )


def not_in_private_ecr(subject: Subject) -> Iterator[Finding]:
    """A2."""
    rule = "Lambda takes images only from private ECR repositories of its own Region"
    fix = "push the image to the function's ECR repository and name it there, by digest"
    declared = subject.function.declared
    if declared and (not _PRIVATE_ECR.fullmatch(declared.image_uri)):
        name = declared.image_uri or "no image"
        yield error("A2", f"{declared.logical_id} names {name}; {rule}", fix)
    reference = subject.image.reference
    if isinstance(reference, RegistryReference) and not (
        reference.private_ecr or reference.is_loopback
    ):
        yield warning("A2", f"the image is in {reference.host}; {rule}", fix)


def lambda_may_not_pull(subject: Subject) -> Iterator[Finding]:
    """A3: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html."""
    if subject.repository is None:
        return
    actions = " and ".join(sorted(_PULL))
    fix = f"allow {actions} to lambda.amazonaws.com in the repository's policy"
    if subject.repository.unseen:
        found = f"whether Lambda may pull it was not to be seen: {subject.repository.unseen}"
        yield warning("A3", found, "allow ecr:DescribeImages and ecr:GetRepositoryPolicy to you")
        return
    policy = subject.repository.policy
    if policy is None:
        yield warning(
            "A3",
            "the repository has no policy, so Lambda may pull only if whoever deploys may set one",
            fix,
        )
        return
    allowed, denied = _lambda_actions(policy)
    if denied & _PULL:
        names = " and ".join(sorted(denied & _PULL))
        yield error("A3", f"the repository's policy denies {names} to Lambda", fix)
    elif not allowed >= _PULL:
        names = " and ".join(sorted(_PULL - allowed))
        yield warning("A3", f"the repository's policy does not allow {names} to Lambda", fix)


def image_is_archived(subject: Subject) -> Iterator[Finding]:
    """A4: https://docs.aws.amazon.com/AmazonECR/latest/userguide/archive_restore_image.html."""
    status = subject.repository and subject.repository.image_status
    if status and status != "ACTIVE":
        yield error(
            "A4",
            f"ECR has the image as {status}: it cannot be pulled",
            "restore it: aws ecr update-image-storage-class --target-storage-class STANDARD …",
        )


def function_names_a_tag(subject: Subject) -> Iterator[Finding]:
    """A7 and A8."""
    declared = subject.function.declared
    match = _PRIVATE_ECR.fullmatch(declared.image_uri) if declared else None
    if not declared or not match:
        return
    version = match["version"] or ""
    fix = f"name the image {match['name']}@{subject.image.digest or 'sha256:…'}"
    if _DIGEST.fullmatch(version):
        return
    if version.startswith("@") or _LOOKS_LIKE_A_DIGEST.fullmatch(version) or "${" in version:
        yield error(
            "A8",
            f"{declared.logical_id} names {version[1:]!r}, which is no digest: 'sha256:' and 64"
            " lower-case hexadecimal digits, known at synth. What is no digest becomes a tag",
            fix,
        )
    else:
        tag = version[1:] or "latest"
        yield error(
            "A7",
            f"{declared.logical_id} names the tag {tag!r}: when the tag moves, the template does"
            " not change, so nothing is deployed, and no version can be told from another",
            fix,
        )


def _lambda_actions(policy: str) -> tuple[set[str], set[str]]:
    """Return what the statements for Lambda allow and deny, conditions left aside."""
    allowed: set[str] = set()
    denied: set[str] = set()
    try:
        statements = msgspec.json.decode(policy).get("Statement", [])
    except (msgspec.DecodeError, AttributeError):
        return allowed, denied
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal", {})
        services = principal.get("Service", []) if isinstance(principal, dict) else principal
        services = [services] if isinstance(services, str) else services
        if not {"lambda.amazonaws.com", "*"} & set(services):
            continue
        actions = statement.get("Action", [])
        patterns = [actions] if isinstance(actions, str) else actions
        named = {
            action
            for action in _PULL
            for pattern in patterns
            if re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), action, re.IGNORECASE)
        }
        (allowed if statement.get("Effect") == "Allow" else denied).update(named)
    return allowed, denied


RULES = (
    image_is_not_there,
    not_in_private_ecr,
    lambda_may_not_pull,
    image_is_archived,
    function_names_a_tag,
)
