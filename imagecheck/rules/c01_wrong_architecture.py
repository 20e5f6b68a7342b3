"""The image is for another CPU than the function."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import INVALID_ENTRYPOINT, START, Problem, Rule
from imagecheck.start.start_problems import cannot

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Hold the image's CPU against the function's; its programs decide where they differ."""
    config = subject.image.config
    function = subject.function
    if not config or config.architecture == function.image_architecture:
        return
    differ = (
        f"the image is for {config.architecture or 'no CPU that it names'}, the function for"
        f" {function.image_architecture} ({function.architecture})"
    )
    rebuild = f"docker buildx build --platform linux/{function.image_architecture} …"
    other = {"arm64": "x86_64", "x86_64": "arm64"}[function.architecture]
    chain = subject.chain
    if chain and chain.machine == function.machine:
        yield Problem(
            f"{differ}; the programs in it are {function.architecture} all the same, so its"
            " configuration is wrong",
            rebuild,
            severity="warning",
        )
        return
    evidence = f": {cannot(subject, chain)}" if chain and chain.machine else ""
    yield Problem(differ + evidence, f"{rebuild} (or let the function be {other})")


RULE = Rule(
    id="C1",
    title="The image is for another CPU than the function",
    severity="error",
    error_type=INVALID_ENTRYPOINT,
    when=START,
    why=(
        "An image is built for one CPU, by default that of the machine that builds it. Lambda"
        " accepts the image, but the start fails: the kernel cannot execute programs of another"
        " CPU. On a laptop with an Arm CPU this happens to every x86_64 function."
    ),
    fix=(
        "Build for the function's CPU: docker buildx build --platform linux/arm64 (or"
        " linux/amd64), or change the function's architecture."
    ),
    source="https://github.com/aws/aws-lambda-base-images/issues/26",
    bad="""\
$ docker build -t rooms .          # on an Arm laptop
Architectures: [x86_64]
""",
    good="""\
$ docker buildx build --platform linux/amd64 -t rooms .
Architectures: [x86_64]
""",
    check=check,
)
