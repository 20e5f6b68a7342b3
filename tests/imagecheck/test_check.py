"""A check with the findings of all rules, and with what it may not ask."""

from pathlib import Path
from typing import Any

import pytest

from imagecheck import check
from imagecheck.check import check_image
from imagecheck.function import Function
from imagecheck.image import image_reader
from imagecheck.image.errors import ImageReadError
from imagecheck.image.layer import read_files
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.layout import LayoutSource
from imagecheck.image.reference import FileReference, parse_reference
from tests.support.imagecheck.cases import APP, HANDLER, HOST_CPU, Silent, findings_of, python
from tests.support.imagecheck.images import File

ECR = "docker://123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/rooms@"


class DeniedEcr:
    """A private ECR whose images may be read, and of which nothing else may be asked."""

    compressed_on_push = False

    def __init__(self, layout: LayoutSource, name: str) -> None:
        self.reference = parse_reference(name)
        self.root = layout.root
        self.manifest = layout.manifest
        self.blob = layout.blob
        self.has_blob = layout.has_blob
        self.stamp = layout.stamp
        self.close = layout.close

    def image_status(self, _digest: str) -> str | None:
        raise ImageReadError("you may not do ecr:DescribeImages")

    def repository_policy(self) -> str | None:
        raise ImageReadError("you may not do ecr:GetRepositoryPolicy")


def test_an_image_is_judged_though_its_repository_may_not_be_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = python(APP)(tmp_path / "image")
    layout = FileReference("oci", made.folder)
    monkeypatch.setattr(
        check, "open_source", lambda reference, _: DeniedEcr(LayoutSource(layout), str(reference))
    )

    report = check_image(
        parse_reference(ECR + made.digest),
        Function(HOST_CPU),
        cache=LayerCache(tmp_path / "cache"),
        progress=Silent(),
    )

    assert findings_of(report) == {"A3": "warning"}
    assert "ecr:DescribeImages" in report.findings[0].found


@pytest.mark.proof
def test_a_hundred_modules_are_read_in_one_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = [File(f"var/task/m{number}.py", f"import m{number + 1}\n") for number in range(1, 100)]
    made = python(
        File("var/task/app.py", "import m1\n" + HANDLER), *chain, File("var/task/m100.py", "")
    )(tmp_path / "image")
    readings = []

    def counted(*arguments: Any, **options: Any) -> dict[str, bytes]:
        readings.append(arguments)
        return read_files(*arguments, **options)

    monkeypatch.setattr(image_reader, "read_files", counted)

    report = check_image(
        parse_reference(made.reference),
        Function(HOST_CPU),
        cache=LayerCache(tmp_path / "cache"),
        progress=Silent(),
    )

    assert report.findings == ()
    # The bootstrap is read before it, to follow the start.
    assert len([paths for _, _, paths, *_ in readings if "/var/task/m1.py" in paths]) == 1
    assert len([paths for _, _, paths, *_ in readings if "/var/task/m99.py" in paths]) == 1


@pytest.mark.proof
def test_what_repeats_a_row_is_counted(tmp_path: Path) -> None:
    imports = "".join(f"import nothere{number}\n" for number in range(50))
    made = python(File("var/task/app.py", imports + HANDLER))(tmp_path / "image")

    report = check_image(
        parse_reference(made.reference),
        Function(HOST_CPU),
        cache=LayerCache(tmp_path / "cache"),
        progress=Silent(),
    )

    assert [finding.rule for finding in report.findings] == ["E2"] * 21
    assert report.findings[-1].found == "30 more like these"
