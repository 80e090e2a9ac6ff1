"""What is changed in an exported graph, and what is left alone. That it answers the same is tested with the export."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the extra `onnx`")
pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")

import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from pytest_modelcompare.inference.onnx_rewrites import rewrite_graph

WIDTH = 4
RNG = np.random.default_rng(0)


def weights(name, *shape):
    return numpy_helper.from_array(RNG.normal(size=shape).astype(np.float32), name)


def layer(states, name):
    """A block of feed-forward, residual and normalisation: its nodes, its weights, the name of its output."""
    nodes = [
        helper.make_node("MatMul", [states, f"{name}.w"], [f"{name}.product"]),
        helper.make_node("Add", [f"{name}.b", f"{name}.product"], [f"{name}.biased"]),
        helper.make_node("Tanh", [f"{name}.biased"], [f"{name}.active"]),
        helper.make_node("Add", [f"{name}.active", states], [f"{name}.sum"]),
        helper.make_node("LayerNormalization", [f"{name}.sum", f"{name}.s"], [f"{name}.out"], axis=-1),
    ]
    kept = [weights(f"{name}.w", WIDTH, WIDTH), weights(f"{name}.b", WIDTH), weights(f"{name}.s", WIDTH)]
    return nodes, kept, f"{name}.out"


def model_of(nodes, kept, output):
    """From (rows, tokens, width); what mixes tokens is a product from the left."""
    states = helper.make_tensor_value_info("states", TensorProto.FLOAT, ["rows", 3, WIDTH])
    given = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "g", [states], [given], kept)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def two_layers(*readers):
    """A layer, a mixing of tokens, another layer, and nodes that read it."""
    first, first_kept, out = layer("states", "one")
    mix = helper.make_node("MatMul", ["mixing", out], ["mixed"])
    second, second_kept, _ = layer("mixed", "two")
    kept = [*first_kept, *second_kept, weights("mixing", 3, 3), numpy_helper.from_array(np.array(0), "zero")]
    return model_of([*first, mix, *second, *readers], kept, "logits")


HEAD = helper.make_node("Gather", ["two.out", "zero"], ["logits"], axis=1)


def answers(model):
    states = np.random.default_rng(1).normal(size=(2, 3, WIDTH)).astype(np.float32)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"states": states})[0]


def rewritten(model):
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    rewrite_graph(changed, heads=2)
    return changed


def slices(model):
    return [(node.input[0], node.input[3]) for node in model.graph.node if node.op_type == "Slice"]


def test_what_only_the_head_reads_is_computed_for_the_first_token_alone():
    model = two_layers(HEAD)
    changed = rewritten(model)
    assert slices(changed) == [("mixed", "first/1")]  # the layer's input: what mixes tokens needs them all
    np.testing.assert_allclose(answers(changed), answers(model), rtol=1e-6)


def test_what_is_read_elsewhere_too_stays_whole():
    # the mean over tokens needs every position of the last layer
    mean = helper.make_node("ReduceMean", ["two.out"], ["mean"], axes=[1], keepdims=0)
    both = helper.make_node("Add", ["first", "mean"], ["logits"])
    model = two_layers(helper.make_node("Gather", ["two.out", "zero"], ["first"], axis=1), mean, both)
    changed = rewritten(model)
    assert slices(changed) == []
    np.testing.assert_allclose(answers(changed), answers(model), rtol=1e-6)


def test_another_position_is_no_first_one():
    model = two_layers(HEAD)
    model.graph.initializer[-1].CopyFrom(numpy_helper.from_array(np.array(1), "zero"))
    assert slices(rewritten(model)) == []


def test_sums_stay_apart_from_normalisations_whatever_onnxruntime_joins(tmp_path):
    def operators(model):
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return Counter(node.op_type for node in onnx.load(tmp_path / "optimised.onnx").graph.node)

    nodes, kept, out = layer("states", "one")
    model = model_of(nodes, kept, out)
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info(out, TensorProto.FLOAT, ["rows", 3, WIDTH]))
    assert operators(model)["SkipLayerNormalization"] == 1
    changed = rewritten(model)
    assert (operators(changed)["SkipLayerNormalization"], operators(changed)["Sum"]) == (0, 1)
    np.testing.assert_allclose(answers(changed), answers(model), rtol=1e-5)


def test_a_graph_with_branches_is_left_alone():
    model = two_layers(HEAD)
    output = helper.make_tensor_value_info("same", TensorProto.FLOAT, None)
    branch = helper.make_graph([helper.make_node("Identity", ["logits"], ["same"])], "b", [], [output])
    model.graph.node.append(helper.make_node("If", ["true"], ["either"], then_branch=branch, else_branch=branch))
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), "true"))
    assert rewritten(model) == model
