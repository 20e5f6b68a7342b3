"""Handlers of Java, .NET and Ruby: what is not where the client looks is E2."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from imagecheck.image.layer_cache import LayerCache
from tests.imagecheck.cases import Case, Make, check_case, findings_of, shell
from tests.imagecheck.images import File, Member
from tests.imagecheck.programs import tiny_elf

CLIENT = "com.amazonaws.services.lambda.runtime.api.client.AWSLambda"
HANDLER = "com.example.App::handleRequest"
CLASS = "com/example/App.class"


def jar(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, "")
    return content.getvalue()


def base(language: str, handler: str, *members: Member) -> Make:
    """Make an image like AWS's for a language."""
    program = File(f"var/lang/bin/{language}", tiny_elf(), 0o755)
    return shell(program, *members, cmd=[handler])


def own(command: list[str], *members: Member, **settings: Any) -> Make:
    """Make an image with a Java of its own and the client."""
    java = File("opt/java/bin/java", tiny_elf(), 0o755)
    client = File("app/libs/aws-lambda-java-runtime-interface-client-2.6.0.jar", jar("x"))
    settings = {"env": {"PATH": "/opt/java/bin:/bin"}, "workdir": "/app"} | settings
    return shell(java, client, *members, entrypoint=["java", *command], cmd=[HANDLER], **settings)


GOOD = {
    "a class": base("java", HANDLER, File(f"var/task/{CLASS}", "")),
    "a jar in lib": base("java", HANDLER, File("var/task/lib/app.jar", jar(CLASS))),
    "an inner class": base(
        "java", "com.example.App.Inner", File("var/task/com/example/App$Inner.class", "")
    ),
    "a jar that cannot be read": base("java", HANDLER, File("var/task/lib/a.jar", b"PK")),
    "on a class path": own(["-cp", "/app/libs/*", CLIENT], File("app/libs/app.jar", jar(CLASS))),
    "on a class path in a file": own(
        ["-cp", "@/app/path", CLIENT],
        File("app/path", "/app/classes:/app/libs/*"),
        File(f"app/classes/{CLASS}", ""),
    ),
    "an assembly": base("dotnet", "App::App.Function::Handle", File("var/task/App.dll", "MZ")),
    "a Ruby file": base("ruby", "app.handler", File("var/task/app.rb", "def handler; end")),
}
BAD = {
    "a jar beside lib": base("java", HANDLER, File("var/task/app.jar", jar(CLASS))),
    "no class": base("java", HANDLER, File("var/task/lib/app.jar", jar("com/example/Other.class"))),
    "not on the class path": own(
        ["-cp", "/app/libs/*", CLIENT], File("app/other/app.jar", jar(CLASS))
    ),
    "no assembly": base("dotnet", "App::App.Function::Handle"),
    "no Ruby file": base("ruby", "main.handler"),
}


def found(tmp_path: Path, make: Make) -> tuple[dict[str, str], tuple[str, ...]]:
    case = Case(name="case", make=make)
    report = check_case(case, case.write(tmp_path), LayerCache(tmp_path / "layers"))
    return dict(findings_of(report)), report.subject.judgement.not_judged


@pytest.mark.parametrize("make", GOOD.values(), ids=GOOD.keys())
def test_what_is_there_is_found_and_the_rest_is_said(tmp_path: Path, make: Make) -> None:
    findings, not_judged = found(tmp_path, make)

    assert findings == {}
    assert not_judged


@pytest.mark.parametrize("make", BAD.values(), ids=BAD.keys())
def test_what_is_not_there_is_an_error(tmp_path: Path, make: Make) -> None:
    assert found(tmp_path, make)[0] == {"E2": "error"}


def test_a_jar_that_is_missing(tmp_path: Path) -> None:
    assert found(tmp_path, own(["-jar", "/app/app.jar"]))[0] == {"C6": "error"}
