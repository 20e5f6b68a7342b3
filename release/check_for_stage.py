"""The check of an image for a stage: its function is synthesized with this image pinned."""

from functools import partial

from config.project import Project, Stage, now
from imagecheck.errors import UsageError
from imagecheck.function import Function
from imagecheck.image.errors import ImageReadError, NotInRegistryError
from imagecheck.image.manifest import digest_of
from imagecheck.image.source import ImageSource
from imagecheck.options import CheckOptions
from imagecheck.run import Checked, run_check
from imagecheck.template import read_function
from release.build.gates import Passed, note_gate
from release.planned_pin import assembly_with_image


def check_for_stage(project: Project, stage: Stage, options: CheckOptions) -> Checked:
    """Check an image for the function of a stage, and note the result if it was built last.

    Raises UsageError, and ImageReadError when the image or the template cannot be read.
    """
    checked = run_check(options, partial(_function_of, project, stage))
    subject = checked.report.subject
    digest, architecture = subject.image.digest, subject.function.architecture
    passed = None
    if digest and not checked.report.has_errors:
        key = assembly_with_image(project, stage, digest).function_key(stage)
        passed = Passed(at=now(), architecture=architecture, function=key)
    note_gate(project.root, digest, architecture, "check", passed)
    return checked


def _function_of(project: Project, stage: Stage, source: ImageSource) -> Function:
    """Read the function of a stage, as it would be deployed with this image."""
    if source.compressed_on_push:
        raise UsageError(
            "only a push gives this image a digest to pin",
            hint=f"leave --stage out, and say --architecture {stage.settings.architecture}",
        )
    try:
        digest = digest_of(source.root().content)
    except NotInRegistryError as error:
        raise ImageReadError(str(error)) from error
    return read_function(assembly_with_image(project, stage, digest).template(stage))
