"""Options of interpreters, removed to find the program that they run."""

from typing import Final

_PYTHON_VALUES: Final = {"-W", "-X", "--check-hash-based-pycs"}
_NODE_VALUES: Final = {
    "-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions",
    "--env-file", "--title", "--icu-data-dir", "--openssl-config", "--stack-trace-limit",
}  # fmt: skip
_JAVA_VALUES: Final = {
    "-cp", "-classpath", "--class-path", "-p", "--module-path", "--add-modules", "--add-opens",
    "--add-exports", "--add-reads", "--upgrade-module-path", "--patch-module", "--source",
}  # fmt: skip


def python_program(words: tuple[str, ...]) -> tuple[str, str, tuple[str, ...]]:
    """Return the module behind ``-m``, or the script, and what it is given."""
    at = 1
    while at < len(words):
        word = words[at]
        if word == "-m":
            return (words[at + 1] if at + 1 < len(words) else ""), "", words[at + 2 :]
        if word in {"-c", "-"}:
            return "", "", ()
        if not word.startswith("-"):
            return "", word, words[at + 1 :]
        if not word.startswith("--") and "m" in word[1:] and word[1] not in "WX":
            # Several letters in one word, such as -um.
            before, _, module = word[1:].partition("m")
            if set(before) <= set("bBdEhiIOPqsSuvVx"):
                if module:
                    return module, "", words[at + 1 :]
                return (words[at + 1] if at + 1 < len(words) else ""), "", words[at + 2 :]
        at += 2 if word in _PYTHON_VALUES else 1
    return "", "", ()


def node_script(words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return the script that Node is given, and the script's own arguments."""
    at = 1
    while at < len(words):
        word = words[at]
        if word in ("-e", "--eval", "-p", "--print", "-pe", "-", "--run", "--test", "inspect"):
            return "", ()
        if word == "--":
            at += 1
            break
        if not word.startswith("-"):
            break
        at += 2 if word in _NODE_VALUES else 1
    return (words[at], words[at + 1 :]) if at < len(words) else ("", ())


def node_options(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return what Node itself is given: the words before its script."""
    script, rest = node_script(words)
    return words[1 : len(words) - len(rest) - bool(script)]


def java_program(words: tuple[str, ...]) -> tuple[str, str, str, tuple[str, ...]]:
    """Return class path, jar, main class and its arguments; what is not given is empty."""
    class_path = ""
    at = 1
    while at < len(words):
        word = words[at]
        if word == "-jar":
            return class_path, (words[at + 1] if at + 1 < len(words) else ""), "", words[at + 2 :]
        if word in ("-cp", "-classpath", "--class-path") and at + 1 < len(words):
            class_path = words[at + 1]
        elif word.startswith(("--class-path=", "-Djava.class.path=")):
            class_path = word.partition("=")[2]
        elif not word.startswith(("-", "@")):
            return class_path, "", word, words[at + 1 :]
        at += 2 if word in _JAVA_VALUES else 1
    return class_path, "", "", ()
