"""A check from its options to its answer, shared by the commands."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from imagecheck.budget import Budget
from imagecheck.check import Report, check_image, check_source
from imagecheck.comparison import compare
from imagecheck.config import find_config, read_config
from imagecheck.function import Function
from imagecheck.function_options import function_from_options, own_architecture, with_overrides
from imagecheck.ignore import Ignore, parse_ignore, read_ignore_file
from imagecheck.image.layer_cache import LayerCache, default_folder
from imagecheck.image.open_source import open_source
from imagecheck.image.reference import parse_reference
from imagecheck.image.source import ImageSource
from imagecheck.options import CheckOptions, Format
from imagecheck.progress import ProgressBar
from imagecheck.report import ProjectFiles, as_github, as_json, as_sarif, as_text
from imagecheck.terminal import timed


@dataclass(frozen=True)
class Checked:
    """The result of a check."""

    report: Report
    differences: tuple[str, ...] | None
    """From the image that works to the one that fails; None where nothing was compared."""
    places: ProjectFiles

    @property
    def exit_status(self) -> int:
        """1 where there is an error that is not ignored."""
        return int(self.report.has_errors)

    def answer(self, form: Format, command: str) -> str:
        """Return what is printed. ``command`` is the name of the command in JSON."""
        match form:
            case Format.JSON:
                return as_json(self.report, command, self.differences)
            case Format.SARIF:
                return as_sarif(self.report, self.places)
            case Format.GITHUB:
                return as_github(self.report, self.places)
            case Format.TEXT:
                return as_text(self.report, self.differences)


def run_check(
    options: CheckOptions, function_of: Callable[[ImageSource], Function] | None = None
) -> Checked:
    """Read the image and apply the rules.

    ``function_of`` finds the function that it is for; without it the options name that.

    Raises UsageError (InvalidReferenceError, UnknownRuleError) and ImageReadError.
    """
    # Wrong options are reported before anything is read.
    _ = options.answer_format
    reference = parse_reference(options.image)
    target = with_overrides(function_from_options(options), options)
    base = parse_reference(options.base) if options.base else None
    against = parse_reference(options.against) if options.against else None
    ignores = _ignores(options)
    cache = LayerCache(None if options.no_cache else default_folder())
    budget = Budget(options.timeout, hint="give it more with --timeout SECONDS")
    measured = timed if options.debug else None
    with ProgressBar() as progress, closing(open_source(reference, budget)) as source:
        if function_of:
            target = with_overrides(function_of(source), options)
        elif target.is_assumed:
            target = replace(target, architecture=own_architecture(source, progress))
        report = check_source(
            source,
            target,
            cache=cache,
            progress=progress,
            base=base,
            dockerfile=options.dockerfile,
            budget=budget,
            ignores=ignores,
            timed=measured,
        )
        differences = None
        if against:
            other = check_image(
                against,
                target,
                cache=cache,
                progress=progress,
                budget=budget,
                ignores=ignores,
                timed=measured,
            )
            differences = compare(report, other)
    return Checked(report, differences, ProjectFiles(options.dockerfile, options.template))


def _ignores(options: CheckOptions) -> tuple[Ignore, ...]:
    """Return them in order of precedence: the first that fits gives the reason."""
    config = options.config or find_config(Path.cwd())
    return (
        *map(parse_ignore, options.ignore or []),
        *(read_ignore_file(options.ignore_file) if options.ignore_file else ()),
        *(read_config(config) if config else ()),
    )
