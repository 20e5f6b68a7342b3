"""Native modules that are there for something else, as Python, Node and Java report them: E7."""

from dataclasses import replace
from pathlib import Path

import pytest

from imagecheck.function import Function
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.reference import parse_reference
from imagecheck.progress import ProgressBar
from imagecheck.rules import BY_ID
from release.diagnosis.diagnose import diagnose
from release.diagnosis.facts import StageFacts
from release.diagnosis.image_facts import NativeModule
from release.diagnosis.images import check_with
from release.diagnosis.outcome import Failed
from release.diagnosis.report import as_text
from tests.support.imagecheck.findings import error, warning
from tests.support.imagecheck.images import File, layer_of, write_image
from tests.support.imagecheck.programs import AARCH64, tiny_elf
from tests.support.release.diagnosis_situations import FUNCTION, IMAGE, WORKS, refused

IMPORT = "Runtime.ImportModuleError"
UNABLE = "Unable to import module 'rooms.main': "
NATIVE = (
    NativeModule("/var/task/lxml/etree.cpython-312-x86_64-linux-gnu.so", "x86_64, glibc"),
    NativeModule("/var/task/pandas/_libs/parsers.cpython-39-darwin.so", "macOS"),
    NativeModule("/var/task/_cffi_backend.cpython-312-x86_64-linux-gnu.so", "x86_64, glibc"),
)


def failing(type_: str, message: str, native: tuple[NativeModule, ...] | None = None) -> StageFacts:
    return replace(
        WORKS, invocation=Failed(type_, message), live_image=replace(IMAGE, native=native)
    )


def said(facts: StageFacts) -> str:
    return " ".join(as_text(diagnose(facts)).split())


@pytest.mark.parametrize(
    ("type_", "message"),
    [
        (IMPORT, UNABLE + "No module named 'pydantic_core._pydantic_core'"),
        (IMPORT, UNABLE + "No module named 'numpy.core._multiarray_umath'"),
        (IMPORT, UNABLE + "No module named 'cryptography.hazmat.bindings._rust'"),
        (IMPORT, UNABLE + "No module named 'psycopg2._psycopg'"),
        (IMPORT, UNABLE + "cannot import name '_imaging' from 'PIL' (/var/task/PIL/__init__.py)"),
        (
            IMPORT,
            UNABLE + "cannot import name '_fast' from partially initialized module 'fastmod' (most"
            " likely due to a circular import) (/var/task/fastmod/__init__.py)",
        ),
        (IMPORT, UNABLE + "IMPORTANT: Importing the numpy C-extensions failed."),
        (IMPORT, UNABLE + "/var/task/x.so: invalid ELF header"),
        (IMPORT, UNABLE + "/lib64/libc.so.6: version `GLIBC_2.34' not found"),
        (IMPORT, UNABLE + "/var/task/x.abi3.so: undefined symbol: PyObject_GetOptionalAttr"),
        ("ModuleNotFoundError", "No module named 'orjson._orjson'"),
        ("ImportError", "/var/task/x.so: wrong ELF class: ELFCLASS32"),
        ("Error", "The module was compiled against NODE_MODULE_VERSION 108. This needs 127."),
        ("Error", 'Could not load the "sharp" module using the linux-arm64 runtime'),
        (IMPORT, "Error: Cannot find module '@img/sharp-linux-arm64'"),
        (IMPORT, "Error: Cannot find module '../build/Release/bcrypt_lib.node'"),
        (
            "java.lang.UnsatisfiedLinkError",
            "/tmp/libx.so: Can't load AMD 64-bit .so on a AARCH64 platform",
        ),
    ],
)
def test_a_module_that_is_there_for_something_else_is_no_missing_requirement(
    type_: str, message: str
) -> None:
    facts = failing(type_, message)
    [cause] = diagnose(facts).causes

    assert (cause.name, cause.rule, cause.likelihood) == ("image-e7", "E7", "certain")
    assert cause.error_type == type_
    assert "for arm64" in cause.fix[1].text
    fixes = " ".join(remedy.text for remedy in cause.fix)
    assert "requirements.in" not in fixes


@pytest.mark.parametrize(
    ("message", "path"),
    [
        ("cannot import name 'etree' from 'lxml' (/var/task/lxml/__init__.py)", NATIVE[0].path),
        ("No module named 'pandas._libs.parsers'", NATIVE[1].path),
        ("No module named '_cffi_backend'", NATIVE[2].path),
    ],
)
def test_the_image_tells_where_the_name_does_not(message: str, path: str) -> None:
    facts = failing(IMPORT, UNABLE + message, NATIVE)
    [cause] = diagnose(facts).causes

    assert cause.rule == "E7"
    assert any(path in evidence.text for evidence in cause.evidence)
    assert [one.rule for one in diagnose(failing(IMPORT, UNABLE + message, ())).causes] == ["E2"]


@pytest.mark.parametrize(
    ("message", "title"),
    [
        ("No module named 'msgspec'", "The module 'msgspec' is missing"),
        ("No module named '_cffi_backend'", "The module '_cffi_backend' is missing"),
        ("No module named 'urllib3.packages'", "The package 'urllib3' was deployed without"),
        ("No module named 'rooms._private'", "The module 'rooms._private' is missing"),
        ("No module named 'rooms.helpers'", "The module 'rooms.helpers' is missing"),
        ("No module named 'foo.__about__'", "The package 'foo' was deployed without"),
        (
            "cannot import name 'Room' from 'rooms.room' (/var/task/rooms/room.py)",
            BY_ID["E2"].title,
        ),
    ],
)
def test_a_module_that_is_missing_is_told_from_it(message: str, title: str) -> None:
    [cause] = diagnose(failing(IMPORT, UNABLE + message)).causes

    assert cause.rule == "E2"
    assert cause.title.startswith(title)


def test_a_private_module_of_a_package_without_native_modules_is_none_of_another_cpu() -> None:
    message = UNABLE + "No module named 'plain._compat'"

    [cause] = diagnose(failing(IMPORT, message, NATIVE)).causes

    assert (cause.rule, cause.title[:30]) == ("E2", "The package 'plain' was deploy")
    [cause] = diagnose(failing(IMPORT, message, None)).causes
    assert cause.rule == "E7"


def test_what_check_finds_for_certain_says_it_alone_and_what_it_suspects_is_evidence() -> None:
    message = UNABLE + "No module named 'lxml._elementpath'"
    facts = failing(IMPORT, message, NATIVE)
    found = "/var/task/lxml has no native module for aarch64"
    certain = replace(IMAGE, findings=(error("E7", found, "mend it", error_type=IMPORT),))
    suspected = replace(IMAGE, findings=(warning("E7", found, "mend it"),), native=NATIVE)

    [cause] = diagnose(replace(facts, live_image=certain)).causes
    assert [remedy.text for remedy in cause.fix][1:] == ["mend it"]
    [cause] = diagnose(replace(facts, live_image=suspected)).causes
    assert any(evidence.text == found for evidence in cause.evidence)


def test_of_a_new_version_and_of_a_zip() -> None:
    message = "No module named 'pydantic_core._pydantic_core'"
    new = refused(f"{IMPORT}: {UNABLE}{message}", IMAGE)(WORKS)
    assert diagnose(new).causes[0].name == "refused-image-e7"

    zipped = replace(FUNCTION, package="Zip", image="", handler="rooms.main.handler")
    facts = replace(failing(IMPORT, UNABLE + message), live=zipped, live_image=None)
    assert "release deploy dev --packaging zip" in said(facts)
    assert "release build" not in said(facts)


def test_the_native_modules_of_an_image_are_listed_without_the_interpreters(tmp_path: Path) -> None:
    foreign = tiny_elf(machine=AARCH64)
    image = write_image(
        tmp_path,
        [
            layer_of(
                File("var/task/fast/_fast.cpython-312-aarch64-linux-gnu.so", foreign),
                File("var/task/fast/text.so", b"no machine code"),
                File("var/lang/lib/python3.12/lib-dynload/_ssl.cpython-312-aarch64.so", foreign),
                File("usr/lib64/libssl.so", foreign),
            )
        ],
        entrypoint=["/bin/x"],
    )
    check = check_with(LayerCache(None), ProgressBar())
    facts = check(parse_reference(image.reference), Function("x86_64"))  # type: ignore[arg-type]

    assert facts.native == (
        NativeModule("/var/task/fast/_fast.cpython-312-aarch64-linux-gnu.so", "aarch64"),
    )
