"""Handlers of Java, .NET and Ruby: what is not where the client looks is E2."""

from pathlib import Path
from typing import Any

import pytest

from imagecheck.image.image_reader import ImageReader
from imagecheck.image.layer_cache import LayerCache
from tests.support.imagecheck.cases import Case, Make, check_case, findings_of, shell
from tests.support.imagecheck.images import File, Member
from tests.support.imagecheck.java_classes import jar_of, main_class
from tests.support.imagecheck.programs import tiny_elf

CLIENT = "com.amazonaws.services.lambda.runtime.api.client.AWSLambda"
JAVA_17 = File("var/lang/release", 'IMPLEMENTOR="Amazon.com Inc."\nJAVA_VERSION="17.0.15"\n')
HANDLER = "com.example.App::handleRequest"
CLASS = "com/example/App.class"


def jar(*names: str, **manifest: str) -> bytes:
    return jar_of(dict.fromkeys(names, b""), **manifest)


def base(language: str, handler: str, *members: Member, **settings: Any) -> Make:
    """Make an image like AWS's for a language."""
    program = File(f"var/lang/bin/{language}", tiny_elf(), 0o755)
    return shell(program, *members, cmd=[handler], **settings)


def own(command: list[str], *members: Member, **settings: Any) -> Make:
    """Make an image with a Java of its own and the client."""
    java = File("opt/java/bin/java", tiny_elf(), 0o755)
    client = File("app/libs/client.jar", jar(f"{CLIENT.replace('.', '/')}.class"))
    settings = {"env": {"PATH": "/opt/java/bin:/bin"}, "workdir": "/app"} | settings
    return shell(java, client, *members, entrypoint=["java", *command], cmd=[HANDLER], **settings)


def assembly(name: str) -> list[Member]:
    """What dotnet publish writes, as far as it is looked at."""
    endings = (".dll", ".deps.json", ".runtimeconfig.json")
    return [File(f"var/task/{name}{ending}", "MZ") for ending in endings]


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
    "in a jar that a jar names": own(
        ["-cp", "/app/libs/client.jar:/app/thin.jar", CLIENT],
        File("app/thin.jar", jar("x", Class_Path="other/a%20b.jar other/more.jar")),
        File("app/other/a b.jar", jar(CLASS)),
    ),
    "a class of an older Java": base(
        "java", HANDLER, JAVA_17, File(f"var/task/{CLASS}", main_class("com/example/App", 52))
    ),
    "a class for each Java": base(
        "java",
        HANDLER,
        JAVA_17,
        File(
            "var/task/lib/app.jar",
            jar_of(
                {
                    CLASS: main_class("com/example/App", 65),
                    f"META-INF/versions/17/{CLASS}": main_class("com/example/App", 61),
                    f"META-INF/versions/21/{CLASS}": main_class("com/example/App", 65),
                },
                Multi_Release="true",
            ),
        ),
    ),
    "an assembly": base("dotnet", "App::App.Function::Handle", *assembly("App")),
    "an assembly beside the one main program": base(
        "dotnet", "Lib::Lib.Function::Handle", *assembly("App"), File("var/task/Lib.dll", "MZ")
    ),
    "a program of .NET": base("dotnet", "App", File("var/task/App", tiny_elf(), 0o755)),
    "a Ruby file": base("ruby", "app.handler", File("var/task/app.rb", "def handler; end")),
}
BAD = {
    "a jar beside lib": base("java", HANDLER, File("var/task/app.jar", jar(CLASS))),
    "no class": base("java", HANDLER, File("var/task/lib/app.jar", jar("com/example/Other.class"))),
    "not on the class path": own(
        ["-cp", "/app/libs/*", CLIENT], File("app/other/app.jar", jar(CLASS))
    ),
    "no assembly": base("dotnet", "App::App.Function::Handle", *assembly("Other")),
    "no settings of the assembly": base(
        "dotnet", "App::App.Function::Handle", File("var/task/App.dll", "MZ")
    ),
    "no program of .NET": base("dotnet", "App", *assembly("Other")),
    "a Ruby file in another folder": base(
        "ruby", "app.handler", File("var/task/lib/app.rb", "def handler; end")
    ),
    "no Ruby file": base("ruby", "main.handler"),
}


def found(tmp_path: Path, make: Make) -> tuple[dict[str, str], tuple[str, ...]]:
    case = Case(name="case", make=make)
    report = check_case(case, case.write(tmp_path), LayerCache(tmp_path / "layers"))
    return dict(findings_of(report)), report.subject.judgement.not_checked


@pytest.mark.parametrize("make", GOOD.values(), ids=GOOD.keys())
def test_what_is_there_is_found_and_the_rest_is_said(tmp_path: Path, make: Make) -> None:
    findings, not_judged = found(tmp_path, make)

    assert findings == {}
    assert not_judged


@pytest.mark.parametrize("make", BAD.values(), ids=BAD.keys())
def test_what_is_not_there_is_an_error(tmp_path: Path, make: Make) -> None:
    assert found(tmp_path, make)[0] == {"E2": "error"}


AGENT = {"JAVA_TOOL_OPTIONS": "-Xmx256m -javaagent:/opt/agent.jar=on"}
WROTE_JAVA_21 = main_class("com/example/App", 65)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (base("java", HANDLER, File(f"var/task/{CLASS}", ""), env=AGENT), ("E2", "agent.jar")),
        (
            base("java", HANDLER, JAVA_17, File(f"var/task/{CLASS}", WROTE_JAVA_21)),
            ("E4", "version 65"),
        ),
        (
            base(
                "java", HANDLER, JAVA_17, File("var/task/lib/a.jar", jar_of({CLASS: WROTE_JAVA_21}))
            ),
            ("E4", "com/example/App.class in /var/task/lib/a.jar"),
        ),
        (
            base("java", HANDLER, File("var/task/lib/a.jar", jar(CLASS), 0o600)),
            ("E6", "/var/task/lib/a.jar (0600), and the handler loads it"),
        ),
    ],
    ids=["agent", "newer class", "newer class in a jar", "closed jar"],
)
def test_what_keeps_java_from_a_handler_that_is_there(
    tmp_path: Path, make: Make, error: tuple[str, str]
) -> None:
    case = Case(name="case", make=make)
    report = check_case(case, case.write(tmp_path), LayerCache(tmp_path / "layers"))
    rule, text = error

    assert [finding.rule for finding in report.findings] == [rule]
    assert text in report.findings[0].found


def test_jars_are_read_together_since_each_reading_is_one_of_their_layer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = ImageReader.contents
    readings: list[int] = []

    def counted(*arguments: Any) -> dict[str, bytes]:
        contents = read(*arguments)
        readings[-1] += 1
        return contents

    monkeypatch.setattr(ImageReader, "contents", counted)
    for number in (2, 40):
        jars = [File(f"var/task/lib/{at}.jar", jar(CLASS)) for at in range(number)]
        readings.append(0)
        assert found(tmp_path / str(number), base("java", HANDLER, *jars))[0] == {}

    assert readings[0] == readings[1]


def test_a_jar_that_is_missing(tmp_path: Path) -> None:
    assert found(tmp_path, own(["-jar", "/app/app.jar"]))[0] == {"C6": "error"}


BOOT = "org.springframework.boot.loader.launch.JarLauncher"
MAIN = "com/example/Main.class"


def server(command: list[str], *members: Member) -> Make:
    """Make an image with AWS's web adapter in front of a server in Java."""
    java = File("opt/java/bin/java", tiny_elf(), 0o755)
    adapter = File("opt/extensions/lambda-adapter", tiny_elf(), 0o755)
    env = {"PATH": "/opt/java/bin:/bin"}
    return shell(java, adapter, *members, entrypoint=command, cmd=None, env=env, workdir="/app")


STARTS = {
    "Spring Boot": server(
        ["java", "-Xmx256m", "-jar", "boot.jar"],
        File(
            "app/boot.jar",
            jar(f"{BOOT.replace('.', '/')}.class", "BOOT-INF/lib/web.jar", Main_Class=BOOT),
        ),
    ),
    "Jib": server(
        ["java", "-cp", "/app/resources:/app/classes:/app/libs/*", "com.example.Main"],
        File(f"app/classes/{MAIN}", ""),
    ),
    "a jar that names its libraries": server(
        ["java", "-jar", "run.jar"],
        File("app/run.jar", jar("x", Main_Class="com.example.Main", Class_Path="lib/a.jar lib/b/")),
        File("app/lib/a.jar", jar(MAIN)),
    ),
    "a module": server(
        ["java", "-p", "/app/mods", "-m", "com.example/com.example.Main"],
        File("app/mods/main.jar", jar("module-info.class")),
    ),
    "one source file": server(["java", "Main.java"], File("app/Main.java", "")),
    "options of the environment": shell(
        File("opt/java/bin/java", tiny_elf(), 0o755),
        File("opt/extensions/lambda-adapter", tiny_elf(), 0o755),
        entrypoint=["/opt/java/bin/java", "com.example.Main"],
        cmd=None,
        env={"JDK_JAVA_OPTIONS": "-cp /app/lib/*"},
    ),
}
ENDS = {
    "a jar that is not a program": server(
        ["java", "-jar", "a-plain.jar"], File("app/a-plain.jar", jar(MAIN))
    ),
    "a main class that is nowhere": server(
        ["java", "-cp", "/app/classes:/app/libs/*", "com.example.Main"],
        File("app/libs/other.jar", jar("x")),
    ),
    "a main class in a jar in a jar": server(
        ["java", "-cp", "boot.jar", "com.example.Main"],
        File("app/boot.jar", jar(f"BOOT-INF/classes/{MAIN}", Main_Class=BOOT)),
    ),
}


@pytest.mark.parametrize("make", STARTS.values(), ids=STARTS.keys())
def test_a_server_in_java_whose_main_class_is_there(tmp_path: Path, make: Make) -> None:
    assert found(tmp_path, make)[0] == {}


@pytest.mark.parametrize("make", ENDS.values(), ids=ENDS.keys())
def test_a_server_in_java_without_its_main_class(tmp_path: Path, make: Make) -> None:
    assert found(tmp_path, make)[0] == {"E2": "error"}


def test_a_server_in_java_that_may_not_read_its_classes(tmp_path: Path) -> None:
    make = server(
        ["java", "-cp", "/app/main.jar", "com.example.Main"],
        File("app/main.jar", jar(MAIN), 0o600),
    )

    assert found(tmp_path, make)[0] == {"E6": "error"}


def test_the_client_for_java_that_is_not_on_the_class_path(tmp_path: Path) -> None:
    make = own(["-cp", "/app/classes", CLIENT], File(f"app/classes/{CLASS}", ""))

    assert found(tmp_path, make)[0] == {"D4": "error"}
