"""How the nodes of an ONNX graph hang together."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

Node = Any
"""An `onnx.NodeProto`. Nodes are told apart by the name of their first output."""

Graph = Any
"""An `onnx.GraphProto`; its nodes stand in an order in which they can be computed."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """Which node makes a tensor, and which ones read it."""

    made_by: dict[str, Node]
    read_by: dict[str, list[tuple[Node, int]]]
    """With the number of the input."""

    constants: dict[str, NDArray[Any]]

    def up(self, name: str, *kinds: str) -> list[Node] | None:
        """The nodes above a tensor, each by the first input of the last; None where they are of other kinds."""
        found: list[Node] = []
        for kind in kinds:
            node = self.made_by.get(name)
            if node is None or node.op_type != kind:
                return None
            found.append(node)
            name = node.input[0]
        return found

    def down(self, name: str, *kinds: str) -> list[Node] | None:
        """The nodes below a tensor, which each read it alone and as their first input."""
        found: list[Node] = []
        for kind in kinds:
            readers = self.read_by[name]
            if len(readers) != 1 or readers[0][1] != 0 or readers[0][0].op_type != kind:
                return None
            found.append(readers[0][0])
            name = found[-1].output[0]
        return found


def wiring_of(graph: Graph) -> Wiring:
    from onnx import numpy_helper

    constants = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    made_by: dict[str, Node] = {}
    read_by: dict[str, list[tuple[Node, int]]] = defaultdict(list)
    for node in graph.node:
        made_by |= dict.fromkeys(node.output, node)
        for number, name in enumerate(node.input):
            read_by[name].append((node, number))
        if node.op_type == "Constant" and node.attribute[0].HasField("t"):
            constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    return Wiring(made_by, read_by, constants)


def prune(graph: Graph) -> None:
    """Remove nodes that nothing reads any more."""
    read = {one.name for one in graph.output}
    for node in reversed(list(graph.node)):
        if read.isdisjoint(node.output):
            graph.node.remove(node)
        else:
            read.update(node.input)


def attribute(node: Node, name: str) -> Any:
    """Its value; None where the node has it not."""
    from onnx import helper

    return next((helper.get_attribute_value(one) for one in node.attribute if one.name == name), None)
