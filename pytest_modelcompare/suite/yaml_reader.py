"""YAML 1.2 with the position of every key and value, and nothing of YAML that surprises."""

from __future__ import annotations

import io
from typing import NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node

from pytest_modelcompare.errors import Problem, SuiteError
from pytest_modelcompare.suite.document import Document
from pytest_modelcompare.suite.yaml_values import TooMuch, Walker

LARGEST_BYTES = 5_000_000


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
