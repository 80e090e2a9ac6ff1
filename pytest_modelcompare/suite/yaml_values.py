"""From YAML nodes to plain values with their places, by YAML 1.2's core rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from pytest_modelcompare.suite.document import Document, Path, Place

MOST_NODES = 100_000
DEEPEST = 60
PLAIN_TAGS = tuple(f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "str", "seq", "map"))
TEXT_IN_1_2 = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value")
"""ruamel resolves `2020-01-01` and `=` as YAML 1.1 does; in 1.2's core rules they are text."""


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
