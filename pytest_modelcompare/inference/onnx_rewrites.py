"""An exported encoder's graph, changed so that onnxruntime runs it faster on a CPU; what it computes stays the same.

Why each change pays is measured in docs/decisions/0015-int8.md.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
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


def node_attribute(node: Node, name: str) -> Any:
    """Its value; None where the node has it not."""
    from onnx import helper

    return next((helper.get_attribute_value(one) for one in node.attribute if one.name == name), None)


UNARY = frozenset({"Gelu", "FastGelu", "BiasGelu", "Relu", "Tanh", "Erf", "Sigmoid"})
BINARY = frozenset({"Add", "Sub", "Mul", "Div", "Pow"})
HEADS_FIRST, KEYS_TURNED = (0, 2, 1, 3), (0, 2, 3, 1)
"""How (rows, tokens, heads, width) is transposed before the products of attention."""


def rewrite_graph(model: Any, heads: int) -> None:
    """Change a graph of ONNX's and onnxruntime's operators in place, where its parts are recognised.

    Args:
        model: an `onnx.ModelProto`; one with branches or loops is left as it is.
        heads: attention heads per layer.
    """
    from onnx import helper

    graph = model.graph
    if any(attribute.HasField("g") for node in graph.node for attribute in node.attribute):
        return
    join_attention(graph, heads)
    narrow_to_first_position(graph)
    keep_residuals_apart(graph)
    prune(graph)
    del graph.value_info[:]  # shapes of before
    if all(one.domain != "com.microsoft" for one in model.opset_import):
        model.opset_import.append(helper.make_opsetid("com.microsoft", 1))


def join_attention(graph: Graph, heads: int) -> None:
    """Products, softmax and transpositions of each layer's attention as one MultiHeadAttention."""
    wiring = wiring_of(graph)
    joined = {}
    for node in graph.node:
        if node.op_type == "Softmax" and (found := attention_around(node, wiring, heads)) is not None:
            joined[found.output[0]] = found
    for at, node in enumerate(graph.node):
        if node.output and node.output[0] in joined:
            graph.node[at].CopyFrom(joined[node.output[0]])


def attention_around(softmax: Node, wiring: Wiring, heads: int) -> Node | None:
    """softmax(query · key · scale + mask) · value, the heads side by side again, as one node; None of anything else."""
    from onnx import helper

    above = wiring.up(softmax.input[0], "Add", "Mul", "MatMul")
    below = wiring.down(softmax.output[0], "MatMul", "Transpose", "Reshape")
    if above is None or below is None:
        return None
    (masked, scaled, product), (weighted, turned, flat) = above, below
    scale = wiring.constants.get(scaled.input[1])
    query, key, value = (wiring.up(name, "Transpose", "Reshape") for name in (*product.input, weighted.input[1]))
    if query is None or key is None or value is None or scale is None or scale.size != 1:
        return None
    orders = [tuple(node_attribute(one, "perm")) for one in (query[0], key[0], value[0], turned)]
    if orders != [HEADS_FIRST, KEYS_TURNED, HEADS_FIRST, HEADS_FIRST]:
        return None
    inputs = [query[1].input[0], key[1].input[0], value[1].input[0], "", "", masked.input[1]]
    attributes = {"num_heads": heads, "scale": float(scale.item())}
    return helper.make_node("MultiHeadAttention", inputs, list(flat.output), domain="com.microsoft", **attributes)


def narrow_to_first_position(graph: Graph) -> None:
    """Where the head reads the first token alone, compute the last layer's queries, and all that follows, for it alone.

    Keys and values still come from every token.
    """
    wiring = wiring_of(graph)
    heads = [node for node in graph.node if takes_first(node, wiring)]
    if len(heads) != 1:
        return
    # by node: its inputs of which only the first position is read, with the axis of the position
    narrow: dict[str, dict[int, int]] = {heads[0].output[0]: {0: 1}}
    for node in reversed(graph.node):
        readers = wiring.read_by[node.output[0]]
        places = narrowable_inputs(node, wiring)
        if places and readers and all(narrow.get(one.output[0], {}).get(at) == 1 for one, at in readers):
            narrow[node.output[0]] = places
    if len(narrow) == 1:
        return
    cuts: dict[tuple[str, int], str] = {}
    for node in graph.node:
        for at, axis in narrow.get(node.output[0], {}).items():
            name = node.input[at]
            if name not in narrow and name not in wiring.constants:
                node.input[at] = cuts.setdefault((name, axis), f"{name}/first_{axis}")
    insert_slices(graph, cuts)


def insert_slices(graph: Graph, cuts: dict[tuple[str, int], str]) -> None:
    """The first positions of tensors, by their name and axis of positions, under names of their own."""
    from onnx import helper, numpy_helper

    numbers = {number: f"first/{number}" for number in (0, 1, 2)}
    graph.initializer.extend(numpy_helper.from_array(np.array([n], np.int64), name) for n, name in numbers.items())
    ordered = []
    for node in graph.node:
        ordered.append(node)
        for (name, axis), cut in cuts.items():
            if name in node.output:
                ordered.append(helper.make_node("Slice", [name, numbers[0], numbers[1], numbers[axis]], [cut]))
    graph.ClearField("node")
    graph.node.extend(ordered)


def takes_first(node: Node, wiring: Wiring) -> bool:
    """Whether it takes the first position of (rows, tokens, width)."""
    if node.op_type != "Gather" or node_attribute(node, "axis") != 1:
        return False
    index = wiring.constants.get(node.input[1])
    return index is not None and index.ndim == 0 and int(index) == 0


def narrowable_inputs(node: Node, wiring: Wiring) -> dict[int, int]:
    """The inputs of whose position i alone the output's position i is made, with their axis of positions."""
    kind = node.op_type
    fixed = [wiring.constants.get(name) for name in node.input]
    if kind == "MultiHeadAttention":
        return {0: 1, 5: 2}  # queries (rows, tokens, width) and mask (rows, 1, tokens, keys)
    if kind in UNARY or (kind == "LayerNormalization" and node_attribute(node, "axis") == -1):
        return {0: 1}
    if kind == "MatMul":
        return {0: 1} if fixed[1] is not None else {}
    if kind in BINARY and all(one is None or one.ndim <= 1 for one in fixed):
        return {at: 1 for at, one in enumerate(fixed) if one is None}
    return {}


def keep_residuals_apart(graph: Graph) -> None:
    """Sums before a normalisation as Sum: of Add onnxruntime would make SkipLayerNormalization, which is slower."""
    wiring = wiring_of(graph)
    for node in graph.node:
        maker = wiring.made_by.get(node.input[0]) if node.op_type == "LayerNormalization" else None
        if maker is not None and maker.op_type == "Add":
            maker.op_type = "Sum"
