"""The rule for an image that Lambda took, and then could not unpack: state InvalidImage."""

from collections.abc import Iterator

from imagecheck.rule import INVALID_IMAGE
from release.diagnosis.cause import FailureCause
from release.diagnosis.image_faults import AGAIN_THE_SAME, ImageFault, image_fault
from release.diagnosis.rules.start_failures import is_explained, start_evidence, way_back
from release.diagnosis.version_facts import VersionFacts, evidence_of


def image_is_invalid(version: VersionFacts) -> Iterator[FailureCause]:
    """B4, B6, B11 and their kin by Lambda's own words, where `check` does not explain them."""
    symptoms = version.of_type(INVALID_IMAGE)
    if not symptoms or version.works_now or is_explained(version, symptoms):
        return
    fault = image_fault(" ".join(one.message for one in symptoms)) or ImageFault("")
    yield FailureCause(
        name=f"image-{fault.rule.lower() or 'invalid'}",
        title=fault.title,
        likelihood=version.likelihood(symptoms),
        error_type=INVALID_IMAGE,
        rule=fault.rule,
        evidence=(*evidence_of(symptoms), *start_evidence(version)),
        fix=(*way_back(version), *fault.fix(version.stage)),
        explanation=AGAIN_THE_SAME,
    )
