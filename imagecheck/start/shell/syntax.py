"""The words and commands of a script, as a shell parses them."""

from dataclasses import dataclass
from typing import Final

from imagecheck.budget import Budget


class UnsupportedScriptError(Exception):
    """The script has something that this reader does not follow; its text says what."""


class UnknownOnLambdaError(UnsupportedScriptError):
    """A condition is known only on Lambda."""


@dataclass(frozen=True)
class Token:
    """A word, or an operator."""

    text: str
    is_operator: bool = False


@dataclass(frozen=True)
class SimpleCommand:
    """Assignments and words, not expanded yet."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class IfCommand:
    """Conditions with what is done where they hold; the last may have none."""

    branches: tuple[tuple["Program | None", "Program"], ...]


@dataclass(frozen=True)
class CaseCommand:
    """Patterns with what is done where they match."""

    word: str
    branches: tuple[tuple[tuple[str, ...], "Program"], ...]


@dataclass(frozen=True)
class Group:
    """Commands in braces."""

    program: "Program"


@dataclass(frozen=True)
class Step:
    """A command, and how it is joined to the one before it: ``;``, ``&&`` or ``||``."""

    joined: str
    command: SimpleCommand | IfCommand | CaseCommand | Group
    is_negated: bool = False
    in_background: bool = False
    is_piped: bool = False


Program = tuple[Step, ...]

_OPERATORS: Final = ("&&", "||", ";;", ";", "&", "|", "(", ")", "\n")
_RESERVED: Final = {"then", "elif", "else", "fi", "do", "done", "esac", "}", ";;", ")"}
_LOOPS: Final = {"for": "a loop", "while": "a loop", "until": "a loop", "select": "a loop"}
_MAX_DEPTH: Final = 30


def parse(text: str, budget: Budget) -> Program:
    """Parse a script. Raises UnsupportedScriptError, and ImageReadError at the budget's end."""
    budget.spend(len(text))
    return _Parser(_tokens(text)).program(())


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    at = 0
    word: list[str] = []
    started = False

    def end() -> None:
        nonlocal started
        if started:
            tokens.append(Token("".join(word)))
        word.clear()
        started = False

    while at < len(text):
        char = text[at]
        if char == "\\" and text[at + 1 : at + 2] == "\n":
            at += 2
        elif char in " \t":
            end()
            at += 1
        elif char == "#" and not started:
            at = text.find("\n", at) if "\n" in text[at:] else len(text)
        elif char in "<>":
            is_number = "".join(word).isdigit()
            if is_number:
                word.clear()
                started = False
            end()
            at = _redirection(text, at)
        elif operator := next((o for o in _OPERATORS if text.startswith(o, at)), ""):
            if operator == "&" and text[at + 1 : at + 2] == ">":
                end()
                at = _redirection(text, at + 1)
                continue
            end()
            tokens.append(Token(operator, is_operator=True))
            at += len(operator)
        else:
            stop = quoted_end(text, at)
            word.append(text[at:stop])
            started = True
            at = stop
    end()
    return tokens


def _redirection(text: str, at: int) -> int:
    """Return where a redirection ends: what is written where does not matter here."""
    if text.startswith("<<", at):
        raise UnsupportedScriptError("a here-document")
    if text.startswith(("<(", ">("), at):
        raise UnsupportedScriptError("a process substitution")
    while at < len(text) and text[at] in "<>&|":
        at += 1
    while at < len(text) and text[at] in " \t":
        at += 1
    while at < len(text) and text[at] not in " \t\n;&|()<>":
        at = quoted_end(text, at)
    return at


def quoted_end(text: str, at: int) -> int:
    """Return where the character, quotation or expansion at a place ends."""
    char = text[at]
    if char == "\\":
        return at + 2
    if char == "'":
        return _found(text, "'", at + 1)
    if char == '"':
        at += 1
        while at < len(text) and text[at] != '"':
            at = at + 1 if text[at] == "'" else quoted_end(text, at)
        return _closed(text, at)
    if char == "`":
        return _found(text, "`", at + 1)
    if char == "$" and text[at + 1 : at + 2] in ("(", "{"):
        opening = text[at + 1]
        closing = {"(": ")", "{": "}"}[opening]
        at += 2
        depth = 1
        while at < len(text):
            if text[at] == closing:
                depth -= 1
                if not depth:
                    break
            depth += text[at] == opening
            at = quoted_end(text, at)
        return _closed(text, at)
    return at + 1


def _found(text: str, end: str, at: int) -> int:
    return _closed(text, text.find(end, at) if end in text[at:] else len(text))


def _closed(text: str, at: int) -> int:
    if at >= len(text):
        raise UnsupportedScriptError("quotes that do not end")
    return at + 1


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def program(self, ends: tuple[str, ...]) -> Program:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise UnsupportedScriptError("commands in commands")
        steps: list[Step] = []
        joined = ";"
        while True:
            self._skip("\n", ";") if joined == ";" else self._skip("\n")
            token = self._peek()
            if token is None or token.text in ends:
                break
            step, after = self._step(joined)
            steps.append(step)
            joined = after if after in ("&&", "||") else ";"
        if ends and self._peek() is None:
            raise UnsupportedScriptError("a command that does not end")
        self._depth -= 1
        return tuple(steps)

    def _step(self, joined: str) -> tuple[Step, str]:
        is_negated = False
        while (token := self._peek()) and token.text == "!" and not token.is_operator:
            self._at += 1
            is_negated = not is_negated
        command = self._command()
        is_piped = False
        while (token := self._peek()) and token.is_operator and token.text == "|":
            self._at += 1
            self._skip("\n")
            self._command()
            is_piped = True
        after = self._next().text if self._peek() and self._is_operator() else ""
        if after in (";;", ")"):
            self._at -= 1
            after = ""
        return Step(joined, command, is_negated, after == "&", is_piped), after

    def _command(self) -> SimpleCommand | IfCommand | CaseCommand | Group:
        token = self._peek()
        if token is None or (token.is_operator and token.text != "("):
            raise UnsupportedScriptError("something that no shell takes")
        if token.text in _LOOPS:
            raise UnsupportedScriptError(_LOOPS[token.text])
        if token.text == "(":
            raise UnsupportedScriptError("a subshell")
        if token.text == "function":
            raise UnsupportedScriptError("a function")
        if token.text in _RESERVED:
            raise UnsupportedScriptError("something that no shell takes")
        if token.text == "if":
            return self._if()
        if token.text == "case":
            return self._case()
        if token.text == "{":
            self._at += 1
            program = self.program(("}",))
            self._at += 1
            return Group(program)
        words: list[str] = []
        while (token := self._peek()) and not token.is_operator:
            words.append(token.text)
            self._at += 1
        if token and token.text == "(":
            raise UnsupportedScriptError("a function")
        return SimpleCommand(tuple(words))

    def _if(self) -> IfCommand:
        branches: list[tuple[Program | None, Program]] = []
        self._at += 1
        while True:
            condition = self.program(("then",))
            self._at += 1
            branches.append((condition, self.program(("elif", "else", "fi"))))
            word = self._next().text
            if word == "else":
                branches.append((None, self.program(("fi",))))
                word = self._next().text
            if word == "fi":
                return IfCommand(tuple(branches))

    def _case(self) -> CaseCommand:
        self._at += 1
        word = self._next().text
        if self._next().text != "in":
            raise UnsupportedScriptError("something that no shell takes")
        branches: list[tuple[tuple[str, ...], Program]] = []
        self._skip("\n")
        while (token := self._next()).text != "esac":
            patterns = [token.text] if token.text != "(" else []
            while (token := self._next()).text != ")":
                if token.text != "|":
                    patterns.append(token.text)
            branches.append((tuple(patterns), self.program((";;", "esac"))))
            self._skip(";;")
            self._skip("\n")
        return CaseCommand(word, tuple(branches))

    def _peek(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next(self) -> Token:
        token = self._peek()
        if token is None:
            raise UnsupportedScriptError("a command that does not end")
        self._at += 1
        return token

    def _is_operator(self) -> bool:
        token = self._peek()
        return token is not None and token.is_operator

    def _skip(self, *operators: str) -> None:
        while (token := self._peek()) and token.is_operator and token.text in operators:
            self._at += 1
