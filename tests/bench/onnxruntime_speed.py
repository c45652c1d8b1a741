"""How many vectors a second does onnxruntime make here? One measurement as a line of JSON, for
server.mjs: all-MiniLM-L6-v2 in float32, from the same safetensors.

    python onnxruntime_speed.py --model FOLDER --tokens TOKENS.json [--threads 2 …]

No package registry has the model as ONNX, so its graph is written here, in the operators that an
exporter makes of it (layer norms and GELU whole, as onnxruntime computes them best).
"""

import argparse
import json
import time

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

options = argparse.ArgumentParser()
options.add_argument("--model", required=True)
options.add_argument("--tokens", required=True)
for name, default in [("threads", 2), ("passages", 1000), ("length", 128), ("batch", 16)]:
    options.add_argument(f"--{name}", type=int, default=default)
options = options.parse_args()
HEADS, LAYERS, WIDTH = 12, 6, 384


def safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    for name, at in header.items():
        if name != "__metadata__" and at["dtype"] == "F32":
            start, end = at["data_offsets"]
            yield name, numpy.frombuffer(data[start:end], numpy.float32).reshape(at["shape"])


weights = dict(safetensors(f"{options.model}/model.safetensors"))
nodes, constants = [], []


def constant(value, name):
    constants.append(numpy_helper.from_array(numpy.ascontiguousarray(value), name))
    return name


def op(kind, *inputs, **attributes):
    output = f"n{len(nodes)}"
    nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
    return output


def weight(name):
    return constant(weights[name], name)


def linear(x, name):
    product = op("MatMul", x, constant(weights[f"{name}.weight"].T, f"{name}.weight"))
    return op("Add", product, weight(f"{name}.bias"))


def norm(x, name):
    return op("LayerNormalization", x, weight(f"{name}.weight"), weight(f"{name}.bias"), epsilon=1e-12)


positions = weights["embeddings.position_embeddings.weight"][: options.length]
beside = positions + weights["embeddings.token_type_embeddings.weight"][0]
x = op("Gather", weight("embeddings.word_embeddings.weight"), "ids")
x = norm(op("Add", x, constant(beside, "beside")), "embeddings.LayerNorm")
split = constant(numpy.array([0, 0, HEADS, WIDTH // HEADS], numpy.int64), "split")
joined = constant(numpy.array([0, 0, WIDTH], numpy.int64), "joined")
factor = constant(numpy.float32((WIDTH / HEADS) ** -0.5), "factor")
for layer in range(LAYERS):
    name = f"encoder.layer.{layer}"
    heads = lambda part, order: op(
        "Transpose", op("Reshape", linear(x, f"{name}.attention.self.{part}"), split), perm=order
    )
    q, k, v = heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1]), heads("value", [0, 2, 1, 3])
    seen = op("Softmax", op("Mul", op("MatMul", q, k), factor), axis=-1)
    attended = op("Reshape", op("Transpose", op("MatMul", seen, v), perm=[0, 2, 1, 3]), joined)
    x = norm(op("Add", x, linear(attended, f"{name}.attention.output.dense")), f"{name}.attention.output.LayerNorm")
    fed = linear(op("Gelu", linear(x, f"{name}.intermediate.dense")), f"{name}.output.dense")
    x = norm(op("Add", x, fed), f"{name}.output.LayerNorm")
mean = op("ReduceMean", x, constant(numpy.array([1], numpy.int64), "axis"), keepdims=0)
nodes.append(helper.make_node("LpNormalization", [mean], ["vectors"], axis=1, p=2))
graph = helper.make_graph(
    nodes,
    "minilm",
    [helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", options.length])],
    [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["batch", WIDTH])],
    constants,
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
settings = onnxruntime.SessionOptions()
settings.intra_op_num_threads = options.threads
session = onnxruntime.InferenceSession(model.SerializeToString(), settings, ["CPUExecutionProvider"])

with open(options.tokens) as file:
    tokens = json.load(file)
n = options.length
# The same passages as tests/src/bin/embed_speed.rs.
passages = numpy.array([[tokens[(i * 7 + j) % len(tokens)] % 30000 for j in range(n)] for i in range(options.passages)])
session.run(None, {"ids": passages[: options.batch]})
started = time.perf_counter()
first = None
for start in range(0, options.passages, options.batch):
    (vectors,) = session.run(None, {"ids": passages[start : start + options.batch]})
    first = vectors[0] if first is None else first
seconds = time.perf_counter() - started
print(json.dumps({"vectors_per_s": options.passages / seconds, "first": first.tolist()}))
