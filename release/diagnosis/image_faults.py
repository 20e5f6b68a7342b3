"""What Lambda says of an image that it cannot use: the rule of the catalogue, and the fix.

Lambda looks at manifest and sizes when it is called, and unpacks the layers afterwards. So its
words are the reason of a call's error, of a function's state, or of a stack's event, which quotes
either. None of these passes by itself: the bytes of a digest never change.

Its words, as they were reported:
https://github.com/aspect-build/rules_aws/issues/103 (folders),
https://github.com/bazel-contrib/rules_oci/issues/777 (layers),
https://github.com/aws-samples/aws-genai-llm-chatbot/issues/59 (size),
https://github.com/marchof/java-almanac/issues/310 (media types).
"""

import re
from dataclasses import dataclass
from typing import Final

from config.project import Stage
from imagecheck.rule import INVALID_IMAGE
from imagecheck.rules import BY_ID
from release.diagnosis.cause import Remedy
from release.diagnosis.remedies import release_command

AGAIN_THE_SAME: Final = (
    "The same image fails in the same way however often it is deployed: its bytes have to change."
)

_RULES: Final = (
    ("missingparentdirectory", "B11"),
    ("parent directory does not exist", "B11"),
    ("sizelimitexceeded", "B6"),
    ("image size exceeds", "B6"),
    ("layer media type", "B2"),
    ("unsupportedimagelayer", "B4"),
    ("imagelayerfailure", "B4"),
)
"""Lambda's words, and the rule that is most often behind them; the first that fits counts."""

_BUILDERS: Final = {
    "B2": "or name one image of an index by its own digest, and use gzip layers (rules B1 and B5)",
    "B4": "layers without entries for their folders are reported with these words, too (rule B11)",
    "B11": "docker and buildah write each folder; a tool that writes layers file by file has to be"
    " told, or replaced",
}
_QUOTED = re.compile(rf"{INVALID_IMAGE}\((.*)\)", re.DOTALL)


@dataclass(frozen=True)
class ImageFault:
    """A fault of an image in Lambda's words."""

    rule: str
    """The rule of `check`; empty where none is known for these words."""

    @property
    def title(self) -> str:
        """The fault."""
        return BY_ID[self.rule].title if self.rule else "Lambda cannot use the image"

    def fix(self, stage: Stage) -> tuple[Remedy, ...]:
        """Return what makes another image of it."""
        text = BY_ID[self.rule].fix if self.rule else "Change what the reason names."
        more = _BUILDERS.get(self.rule)
        return (
            Remedy(f"{text.rstrip('.')}; {more}" if more else text),
            Remedy(
                "build another image, and let `check` look at it before it is pushed",
                f"{release_command('build', stage)}"
                f" && python -m release check oci:build/image --stage {stage.name}",
            ),
        )


def image_fault(said: str) -> ImageFault | None:
    """Return the fault that a reason names; None where it is about something else."""
    lower = said.lower()
    rule = next((rule for words, rule in _RULES if words in lower), "")
    return ImageFault(rule) if rule or INVALID_IMAGE.lower() in lower else None


def invalid_image(said: str) -> str:
    """Return the reason that is quoted in ``… due to InvalidImage(…)``; empty where none is."""
    quoted = _QUOTED.search(said)
    return quoted[1] if quoted else ""
