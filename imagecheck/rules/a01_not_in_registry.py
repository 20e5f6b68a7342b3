"""The registry has no such image."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.image.image import FaultKind
from imagecheck.rule import CREATE, INVALID_PARAMETER, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Report what the registry answered."""
    for fault in subject.image.faults:
        if fault.kind is FaultKind.NOT_THERE:
            yield Problem(f"{fault.text}. Lambda answers: Source image … does not exist.")


RULE = Rule(
    id="A1",
    title="The image is not in the registry",
    severity="error",
    error_type=INVALID_PARAMETER,
    when=CREATE,
    why=(
        "Lambda fetches the image when the function is created or updated. It refuses a tag or"
        " a digest that the repository does not have. Usually the digest was taken before the"
        " push, and the push compressed the layers again, which gives another digest; or a"
        " lifecycle policy has removed the image."
    ),
    fix="Push the image first, and use the digest that the push prints.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/images-create.html",
    bad="""\
$ docker buildx build -t ACCOUNT.dkr.ecr.REGION.amazonaws.com/rooms:7 .   # not pushed
$ aws lambda update-function-code --function-name rooms --image-uri …/rooms:7
""",
    good="""\
$ docker buildx build --push -t ACCOUNT.dkr.ecr.REGION.amazonaws.com/rooms:7 .
$ aws lambda update-function-code --function-name rooms --image-uri …/rooms:7
""",
    check=check,
)
