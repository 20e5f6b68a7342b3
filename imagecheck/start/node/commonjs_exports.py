"""The exports of a CommonJS module, where its text says them for certain.

The forms are those that people write and that TypeScript, Babel, SWC, esbuild, webpack, rollup and
ncc emit. A single use of ``exports`` or ``module`` that is none of them makes it unknown.
"""

import re
from collections.abc import Iterator

from tree_sitter import Node, Query

from imagecheck.budget import Budget
from imagecheck.start.node.export_forms import (
    announced_exports,
    is_at_top,
    is_detached,
    is_field,
    is_harmless,
    may_evaluate,
    member_name,
    required_modules,
)
from imagecheck.start.node.exports import Exports, is_promise
from imagecheck.start.node.names import declared
from imagecheck.start.node.parse import (
    FUNCTIONS,
    LANGUAGE,
    captures,
    first_of,
    string_of,
    text_of,
    unwrapped,
)
from imagecheck.start.node.scopes import Inside, home_of, meaning_others

_WORDS = Query(LANGUAGE, "[(identifier) (this)] @word")
_WITH_OWN_THIS = Query(
    LANGUAGE,
    "[(function_declaration) (function_expression) (generator_function)"
    " (generator_function_declaration) (method_definition) (class_body)] @function",
)
_PATTERNS = Query(LANGUAGE, "(shorthand_property_identifier_pattern) @word")
_DEFINES = re.compile(r"[\w$]+\.d")
_MARKS = re.compile(r"[\w$]+\.r")
"""What webpack and ncc call to define exports, and to mark them as those of an ES module."""
_STAR_HELPERS = (
    "__exportStar",
    "_export_star",
    "__reExport",
    "_exportStar",
    "tslib_1.__exportStar",
)
_FUNCTIONS_AND_CLASSES = FUNCTIONS | {"class"}
_MAX_WORDS = 200_000


def commonjs_exports(root: Node, budget: Budget) -> Exports:
    """Read what a CommonJS module exports."""
    reader = _Reader(root, budget)
    return reader.read()


def literal_exports(value: Node, budget: Budget) -> Exports:
    """Read what an object that is written out has."""
    reader = _Reader(value, budget)
    reader.read_literal(value)
    return reader.exports


class _Reader:
    def __init__(self, root: Node, budget: Budget) -> None:
        self._root = root
        self._budget = budget
        self._words: dict[str, list[Node]] = {}
        words = captures(_WORDS, root).get("word", [])
        budget.spend(len(words) * 2)
        self._is_small = len(words) < _MAX_WORDS
        for word in words if self._is_small else ():
            self._words.setdefault(text_of(word), []).append(word)
        self._patterns: dict[str, list[Node]] = {}
        for word in captures(_PATTERNS, root).get("word", []) if self._is_small else ():
            self._patterns.setdefault(text_of(word), []).append(word)
        self._home = home_of(root)
        self._values = {name: (kind, value) for name, kind, value in declared(self._home)}
        self.exports = Exports()
        self._read_objects: set[str] = set()

    def read(self) -> Exports:
        """Read what the module exports."""
        result = self.exports
        if not self._is_small or any(map(may_evaluate, self._words.get("eval", []))):
            result.is_complete = False
            return result
        if (announced := announced_exports(self._root)) is not None:
            self.read_literal(announced)
            return result
        words = self._words
        wholes = list(self._wholes())
        result.is_function = bool(wholes) and all(map(self._is_function, wholes))
        own = Inside(captures(_WITH_OWN_THIS, self._root).get("function", []))
        for word in words.get("this", []):
            if word.start_byte not in own:
                self._use(word, word)
        bound = self._of_others("exports")
        is_replaced = any("exports" not in text_of(value) for value in wholes if is_at_top(value))
        for word in words.get("exports", []):
            is_of_no_account = is_replaced or is_detached(word)
            if word.start_byte not in bound and not is_of_no_account:
                self._use(word, word)
        bound = self._of_others("module")
        for word in words.get("module", []):
            if word.start_byte in bound:
                continue
            parent = word.parent
            if parent is None or parent.type != "member_expression":
                result.is_complete &= is_harmless(word)
            elif text_of(parent.child_by_field_name("property")) == "exports":
                self._use(parent, parent)
        return result

    def _wholes(self) -> Iterator[Node]:
        """Go through the values of ``module.exports = …``."""
        bound = self._of_others("module")
        for word in self._words.get("module", []):
            if word.start_byte in bound:
                continue
            member = word.parent
            outer = member.parent if member else None
            if (
                member
                and outer
                and text_of(member) == "module.exports"
                and outer.type == "assignment_expression"
                and is_field(outer, "left", member)
                and (value := outer.child_by_field_name("right"))
            ):
                yield value

    def _is_function(self, value: Node) -> bool:
        value = unwrapped(value)
        if value.type == "identifier":
            kind, meant = self._values.get(text_of(value), ("", value))
            return kind in {"function", "class"} or meant.type in _FUNCTIONS_AND_CLASSES
        return value.type in _FUNCTIONS_AND_CLASSES or is_promise(value)

    def _of_others(self, name: str) -> Inside:
        """Return where a word means something else, as a parameter of what bundlers wrap up."""
        return meaning_others(
            [*self._words.get(name, []), *self._patterns.get(name, [])], self._home
        )

    def _use(self, whole: Node, target: Node) -> None:
        """Read one use of the object that is exported, or of one that becomes it."""
        outer = whole.parent
        while outer and outer.type == "parenthesized_expression":
            whole, outer = outer, outer.parent
        if outer is None:
            return
        if outer.type in {"member_expression", "subscript_expression"}:
            self._member(outer, whole)
        elif outer.type == "assignment_expression":
            if is_field(outer, "left", whole):
                self._becomes(outer.child_by_field_name("right"))
            else:
                self._assigned(outer)
        elif outer.type == "arguments":
            self._argument(outer, target)
        elif not is_harmless(whole):
            self.exports.is_complete = False

    def _assigned(self, assignment: Node) -> None:
        """Read what the object is assigned to: ``exports = module.exports = …`` is all right."""
        left = text_of(assignment.child_by_field_name("left"))
        if left not in {"exports", "module.exports"}:
            self.exports.is_complete = False

    def _member(self, member: Node, whole: Node) -> None:
        if not is_field(member, "object", whole):
            # It is the index into something else.
            return
        name = member_name(member)
        holder = member.parent
        is_left = holder is not None and is_field(holder, "left", member)
        if name is None:
            # exports[x]: a read, or a name that is not known.
            self.exports.is_complete &= not is_left
        elif holder and is_left and holder.type.endswith("assignment_expression"):
            self.exports.add(name, holder.child_by_field_name("right"))
        elif holder and holder.type in {
            "object_assignment_pattern",
            "pair_pattern",
            "array_pattern",
        }:
            self.exports.is_complete = False

    def _argument(self, arguments: Node, target: Node) -> None:
        call = arguments.parent
        function = call.child_by_field_name("function") if call else None
        callee = text_of(unwrapped(function)) if function else ""
        given = [c for c in arguments.named_children if c.type != "comment"]
        if callee.startswith("(0, "):
            callee = callee.removeprefix("(0, ").rstrip(")")
        is_first = bool(given) and text_of(given[0]) == text_of(target)
        if callee.endswith("defineProperty") and is_first and len(given) > 1:
            if (name := string_of(given[1])) is not None:
                self.exports.add(name, None)
            else:
                self.exports.is_complete = False
        elif callee in {"Object.assign", "__export", "_export"} and is_first:
            for more in given[1:]:
                self._object(more)
        elif callee in _STAR_HELPERS:
            self._star(given)
        elif _DEFINES.fullmatch(callee) and is_first and len(given) > 1:
            self._defined(given[1])
        elif _MARKS.fullmatch(callee) and is_first and len(given) == 1:
            return
        else:
            self.exports.is_complete = False

    def _defined(self, what: Node) -> None:
        """Read what webpack defines: an object, one name, or a list of names and values."""
        if what.type == "array":
            items = [item for item in what.named_children if item.type != "comment"]
            while items:
                name = string_of(items.pop(0))
                is_value = bool(items) and text_of(items[0]) == "0"
                del items[: 2 if is_value else 1]
                if name is None:
                    self.exports.is_complete = False
                    return
                self.exports.add(name, None)
        elif (name := string_of(what)) is not None:
            self.exports.add(name, None)
        elif what.type == "object":
            inner = literal_exports(what, self._budget)
            self.exports.is_complete &= inner.is_complete
            for name in inner.names:
                self.exports.add(name, None)
        else:
            self.exports.is_complete = False

    def _star(self, given: list[Node]) -> None:
        names = [name for node in given for name in required_modules(node)]
        self.exports.others += names
        if not names:
            self.exports.is_complete = False

    def _becomes(self, value: Node | None) -> None:
        """Read a value that takes the place of all exports."""
        if value is None:
            return
        value = unwrapped(value)
        if value.type == "assignment_expression":
            # module.exports.a = module.exports = b, or exports = module.exports = c.
            self._becomes(value.child_by_field_name("right"))
            return
        if value.type == "call_expression":
            function = value.child_by_field_name("function")
            arguments = value.child_by_field_name("arguments")
            first = first_of(arguments)
            if text_of(function) == "__toCommonJS" and first:
                self._becomes(first)
                return
        self._object(value)

    def _object(self, value: Node) -> None:
        value = unwrapped(value)
        if value.type == "object":
            self.read_literal(value)
        elif value.type in _FUNCTIONS_AND_CLASSES:
            # A class can have more than what is read here.
            self.exports.is_complete &= value.type != "class"
        elif value.type in {"string", "number"}:
            return
        elif required := list(required_modules(value)):
            self.exports.others += required
        elif value.type == "identifier":
            self._variable(text_of(value))
        elif value.type in {"member_expression", "this"}:
            self.exports.is_complete &= text_of(value) in {"module.exports", "this"}
        else:
            self.exports.is_complete = False

    def read_literal(self, value: Node) -> None:
        """Read an object that is written out."""
        for pair in value.named_children:
            if pair.type == "pair":
                key = pair.child_by_field_name("key")
                name = string_of(key) if key and key.type == "string" else text_of(key)
                if key is None or name is None or key.type == "computed_property_name":
                    self.exports.is_complete = False
                else:
                    self.exports.add(name, pair.child_by_field_name("value"))
            elif pair.type == "shorthand_property_identifier":
                self.exports.add(text_of(pair), pair)
            elif pair.type == "method_definition":
                method = pair.child_by_field_name("name")
                self.exports.add(string_of(method) or text_of(method), None)
            elif pair.type == "spread_element":
                required = [name for child in pair.named_children for name in self._spread(child)]
                self.exports.others += required
                self.exports.is_complete &= bool(required)

    def _spread(self, value: Node) -> Iterator[str]:
        """Read ``...require("./x")``, or a name for it that is used in no other way."""
        if value.type != "identifier":
            yield from required_modules(value)
            return
        kind, meant = self._values.get(text_of(value), ("", value))
        uses = [word for word in self._words.get(text_of(value), []) if word.parent]
        if kind in {"var", "let"} and all(
            word.parent and word.parent.type in {"variable_declarator", "spread_element"}
            for word in uses
        ):
            yield from required_modules(meant)

    def _variable(self, name: str) -> None:
        """Read a variable that becomes the exports, with all that is done to it."""
        if name in {"exports", "module", "undefined"} or name in self._read_objects:
            return
        self._read_objects.add(name)
        kind, value = self._values.get(name, ("", None))
        if value is None or kind not in {"var", "let", "function"}:
            self.exports.is_complete = False
            return
        if kind != "function":
            self._object(value)
        bound = self._of_others(name)
        for word in self._words.get(name, []):
            holder = word.parent
            is_declared = holder and holder.type in {"variable_declarator", *FUNCTIONS}
            if is_declared or word.start_byte in bound:
                continue
            is_given = holder is not None and (
                holder.type == "assignment_expression"
                and is_field(holder, "right", word)
                and text_of(holder.child_by_field_name("left")) in {"exports", "module.exports"}
            )
            is_converted = (
                holder is not None
                and holder.type == "arguments"
                and holder.parent is not None
                and text_of(holder.parent.child_by_field_name("function")) == "__toCommonJS"
            )
            if not (is_given or is_converted):
                self._use(word, word)
