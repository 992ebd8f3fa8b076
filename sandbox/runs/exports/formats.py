"""The two formats of exported graphs: ONNX, and the `.pt2` files of `torch.export`.

Both are compared with the learner before they are returned. `.pt2` files are written only: PyTorch's loader trusts
them.
"""

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from sandbox.core.errors import UserError
from sandbox.core.output import quiet_libraries
from sandbox.runs.exports.graph import Graph, Tensors

_LARGEST = 2_000_000_000  # bytes of the weights in an ONNX model, which is one message of protobuf
_MISSING = "ONNX needs onnx, onnxruntime and onnxscript: pip install 'rl-sandbox[export]'"


def onnx_file(graph: Graph, about: Mapping[str, str]) -> bytes:
    """Return a graph as an ONNX model with metadata, after onnxruntime has computed what the learner does.

    Raises:
        UserError: If a package is missing, or the graph cannot be translated or computes something else.
    """
    with quiet_libraries():
        try:
            import onnxruntime
            import onnxscript  # noqa: F401  # of torch.onnx
        except ImportError:
            raise UserError(_MISSING) from None
        size = sum(part.nbytes for part in graph.module.state_dict().values())
        if size > _LARGEST:
            raise UserError(
                f"an ONNX model holds 2 GB of weights at most, and these are {size / 1e9:.1f} GB: use --torch"
            )
        program = _exported(graph)
        inputs, outputs = ([port.name for port in ports] for ports in (graph.inputs, graph.outputs))
        try:
            exported = torch.onnx.export(program, dynamo=True, verbose=False, input_names=inputs, output_names=outputs)
            assert exported is not None
            model = exported.model_proto
        except Exception as error:  # of any part of the exporter
            raise _refusal(graph, "torch.onnx", error) from error
        _clean(model)
        for key, value in (_described(graph) | dict(about)).items():
            entry = model.metadata_props.add()
            entry.key, entry.value = key, value if isinstance(value, str) else json.dumps(value)
        content: bytes = model.SerializeToString()
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])

        def run(given: Tensors) -> Tensors:
            results = session.run(outputs, {name: np.ascontiguousarray(part) for name, part in given.items()})
            return {name: torch.from_numpy(part) for name, part in zip(outputs, results, strict=True)}

        graph.require_equal(run)
        return content


def torch_file(graph: Graph, about: Mapping[str, str]) -> bytes:
    """Return a graph as a `.pt2` file with `metadata.json` in it, after the program computed what the learner does.

    Raises:
        UserError: If the graph cannot be translated or computes something else.
    """
    with quiet_libraries():
        program = _exported(graph)
        module = program.module()

        def run(inputs: Tensors) -> Tensors:
            with torch.no_grad():
                outputs = module(*inputs.values())
            return {port.name: part for port, part in zip(graph.outputs, outputs, strict=True)}

        graph.require_equal(run)
        for part in program.graph_module.modules():
            for node in part.graph.nodes if isinstance(part, torch.fx.GraphModule) else ():
                node.meta.pop("stack_trace", None)  # paths on this machine
        program.example_inputs = None  # the only pickle in the file
        file = io.BytesIO()
        torch.export.save(program, file, extra_files={"metadata.json": json.dumps(_described(graph) | dict(about))})
        return file.getvalue()


def _exported(graph: Graph) -> torch.export.ExportedProgram:
    """Trace a graph, for batches of any size."""
    batch = {0: torch.export.Dim("batch")}
    arguments = tuple(port.example for port in graph.inputs)
    try:
        with torch.no_grad():
            return torch.export.export(
                graph.module.eval(), arguments, dynamic_shapes=((batch,) * len(arguments),), strict=False
            )
    except Exception as error:  # a learner may compute anything
        raise _refusal(graph, "torch.export", error) from error


def _refusal(graph: Graph, tool: str, error: Exception) -> UserError:
    first_line = str(error).strip().partition("\n")[0]
    return UserError(
        f"this {graph.kind} cannot be exported: {tool} says {type(error).__name__}: {first_line}. Its code must not "
        "turn tensors or their batch size into Python's numbers, as `float(x)`, `if x:` and `len(x)` do."
    )


def _described(graph: Graph) -> dict[str, object]:
    """Return the metadata that a graph has of itself."""
    inputs, outputs = ([port.described() for port in ports] for ports in (graph.inputs, graph.outputs))
    return {"kind": graph.kind, "inputs": inputs, "outputs": outputs, **graph.facts}


def _clean(model: Any) -> None:
    """Remove notes of the exporter from an ONNX model, such as paths on this machine; call the batch `batch`."""
    proto = model.graph
    del proto.value_info[:]
    for value in (*proto.input, *proto.output, *proto.node, *proto.initializer, *model.functions):
        del value.metadata_props[:]
        value.doc_string = ""
    for function in model.functions:
        for node in function.node:
            del node.metadata_props[:]
    for value in (*proto.input, *proto.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
