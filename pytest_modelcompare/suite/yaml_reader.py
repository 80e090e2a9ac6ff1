"""YAML 1.2 with the position of every key and value, and nothing of YAML that surprises."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from pytest_modelcompare.errors import Problem, SuiteError

Path = tuple[str | int, ...]
MOST_NODES = 100_000
LARGEST_BYTES = 5_000_000
DEEPEST = 60
PLAIN_TAGS = tuple(f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "str", "seq", "map"))

TEXT_IN_1_2 = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value")
"""ruamel resolves `2020-01-01` and `=` as YAML 1.1 does; in 1.2's core rules they are text."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands, 1-based, and how wide it is."""

    line: int
    column: int
    width: int = 1


@dataclass(slots=True)
class Document:
    """A parsed file: plain values, and where each key and value stands."""

    path: str
    source: str
    data: Any = None
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    nodes: int = 0

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Where a path stands; if it does not exist (a missing key), where its parent does."""
        if key and path in self.keys:
            return self.keys[path]
        if not key and path in self.values:
            return self.values[path]
        while path and path not in self.values:
            path = path[:-1]
        return self.keys.get(path) or self.values.get(path) or Place(1, 1)

    def add(self, message: str, place: Place, hint: str | None = None) -> None:
        self.problems.append(Problem(message, place.line, place.column, place.width, hint))


def read_document(path: str, content: bytes) -> Document:
    """Parse a suite file; what is wrong with its YAML is among `problems`, or fatal.

    Raises:
        SuiteError: the file is no YAML that can be looked at further.
    """
    if len(content) > LARGEST_BYTES:
        raise SuiteError(path, (Problem(f"the file is larger than {LARGEST_BYTES:,} bytes"),))
    source = decoded(path, content)
    document = Document(path, source)
    refuse_directives(document)
    root = composed(document)
    try:
        document.data = Walker(document).plain(root, ())
    except TooMuch as error:
        fatal(document, Problem(str(error), root.start_mark.line + 1))
    return document


def decoded(path: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        problem = Problem(f"byte 0x{content[error.start]:02x} is no UTF-8", line, column, hint="save the file as UTF-8")
        raise SuiteError(path, (problem,)) from error


def fatal(document: Document, *problems: Problem) -> NoReturn:
    raise SuiteError(document.path, (*document.problems, *problems), document.source)


def refuse_directives(document: Document) -> None:
    """`%YAML 1.1` would turn `no` into false; tabs are no indentation."""
    found = []
    for number, line in enumerate(document.source.splitlines(), 1):
        if line.startswith("%"):
            found.append(
                Problem(f"`{line.split()[0]}` is refused", number, 1, len(line), "suites are YAML 1.2; leave it out")
            )
        indent = line[: len(line) - len(line.lstrip())]
        if "\t" in indent:
            found.append(Problem("a tab in the indentation", number, indent.index("\t") + 1, 1, "indent with spaces"))
    if found:
        fatal(document, *found)


def composed(document: Document) -> Node:
    """The one document of the file, as nodes with marks."""
    yaml = YAML(typ="rt", pure=True)
    yaml.version = (1, 2)
    try:
        nodes = list(yaml.compose_all(io.StringIO(document.source)))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = " ".join(part for part in (error.context, error.problem) if part)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        fatal(document, Problem(f"no YAML: {message}", line, column))
    except YAMLError as error:
        fatal(document, Problem(f"no YAML: {str(error).partition(chr(10))[0]}"))
    except RecursionError:
        fatal(document, Problem("nested too deeply"))
    nodes = [node for node in nodes if node is not None]
    if not nodes:
        fatal(document, Problem("the file is empty", hint="start with `modelcompare: 1`"))
    if len(nodes) > 1:
        fatal(document, Problem("a suite file holds one document", nodes[1].start_mark.line + 1))
    if not isinstance(nodes[0], MappingNode):
        fatal(document, Problem("a suite is a mapping", hint="start with `modelcompare: 1`"))
    root: Node = nodes[0]
    return root


class TooMuch(Exception):
    """Aliases that expand beyond all reason, or nesting."""


class Walker:
    """From nodes to plain values, noting places and refusing what surprises."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.lines = document.source.splitlines()

    def starts_with_tag(self, node: Node) -> bool:
        """Whether a tag is written out, even one that changes nothing."""
        line = self.lines[node.start_mark.line] if node.start_mark.line < len(self.lines) else ""
        return line[node.start_mark.column :].startswith("!")

    def plain(self, node: Node, path: Path) -> Any:
        self.document.nodes += 1
        if self.document.nodes > MOST_NODES:
            raise TooMuch(f"aliases expand to more than {MOST_NODES:,} values")
        if len(path) > DEEPEST:
            raise TooMuch("nested too deeply, or an alias that holds itself")
        self.document.values[path] = place_of(node)
        tag = str(node.tag)
        if not (tag.startswith(PLAIN_TAGS) or tag in TEXT_IN_1_2) or self.starts_with_tag(node):
            self.document.add(f"the tag `{short(tag)}` is refused", place_of(node), "suites hold plain values only")
            return None
        if isinstance(node, MappingNode):
            return dict(self.pairs(node, path))
        if isinstance(node, SequenceNode):
            return [self.plain(item, (*path, index)) for index, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        return self.scalar(node)

    def pairs(self, node: MappingNode, path: Path) -> Iterator[tuple[str | int, Any]]:
        seen: set[str | int] = set()
        for key_node, value_node in node.value:
            place = place_of(key_node)
            if not isinstance(key_node, ScalarNode):
                self.document.add("a key is a plain word", place)
                continue
            if key_node.value == "<<" and key_node.style is None:
                self.document.add("merge keys are refused", place, "write the settings out, or use `defaults:`")
                continue
            key = self.scalar(key_node)
            if not isinstance(key, str | int) or isinstance(key, bool):
                key = key_node.value
            if key in seen:
                self.document.add(f"`{key}` stands here twice", place)
                continue
            seen.add(key)
            self.document.keys[(*path, key)] = place
            yield key, self.plain(value_node, (*path, key))

    def scalar(self, node: ScalarNode) -> Any:
        """A scalar's value by YAML 1.2's core rules, read from its tag and text."""
        kind = str(node.tag).rpartition(":")[2]
        text = str(node.value)
        if node.style == ">":
            # ruamel's round-trip scanner marks every fold with a BEL, which is no part of the text.
            text = text.replace("\a", "")
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        if kind == "int":
            return integer(text)
        if kind == "float":
            return float(
                text.replace("_", "")
                .replace(".inf", "inf")
                .replace(".nan", "nan")
                .replace(".Inf", "inf")
                .replace(".NaN", "nan")
            )
        return text


def integer(text: str) -> int | str:
    """Decimal, 0o and 0x; what Python cannot read stays text."""
    try:
        return int(text.replace("_", ""), 0 if text.lstrip("+-")[:2].lower() in ("0x", "0o", "0b") else 10)
    except ValueError:
        return text


def place_of(node: Node) -> Place:
    start, end = node.start_mark, node.end_mark
    width = end.column - start.column if end.line == start.line else 1
    return Place(start.line + 1, start.column + 1, max(width, 1))


def short(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")
