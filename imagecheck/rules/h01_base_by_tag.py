"""The Dockerfile names an image by a tag."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import BUILD, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Look at each image that the Dockerfile takes from a registry, and at its frontend.

    The frontend is only a warning: nothing of it gets into the image.
    """
    for use in subject.dockerfile:
        if use.digest is None:
            yield Problem(
                f"line {use.line} of the Dockerfile takes {use.image}, which is another image"
                f" whenever its tag moves: {use.instruction}",
                f"name it by digest: skopeo inspect --raw docker://{use.image} | sha256sum",
                line=use.line,
            )
    frontend = subject.frontend
    if frontend and frontend.digest is None:
        yield Problem(
            f"line {frontend.line} of the Dockerfile has it read by {frontend.image}, which is"
            " another program whenever its tag moves",
            f"name it by digest: docker buildx imagetools inspect {frontend.image}; or take the"
            " line out, where the builder's own frontend reads the file",
            severity="warning",
            line=frontend.line,
        )


RULE = Rule(
    id="H1",
    title="A base image by tag",
    severity="error",
    error_type="",
    when=BUILD,
    why=(
        "A tag can name another image tomorrow. The next build of the same Dockerfile then has"
        " other files; tags have even changed their CPU. The frontend of `# syntax=` is a warning:"
        " it is an image, too, and its program decides what the Dockerfile means. This rule reads a"
        " Dockerfile only if --dockerfile names one."
    ),
    fix="Name each base by digest, and let a bot update it.",
    source="https://github.com/aws/aws-lambda-base-images/issues/24",
    bad="""\
FROM public.ecr.aws/lambda/nodejs:22
""",
    good="""\
FROM public.ecr.aws/lambda/nodejs:22@sha256:…
""",
    check=check,
)
