"""Which token does llama.cpp find most likely after each token of a text, the text being forced?

    pip install xllamacpp==2026.10.11549
    python make_llama_cpp.py MODEL.gguf smollm2-135m-q4_1.alice29.f32.json > smollm2-135m-q4_1.alice29.llama-cpp.json

llama.cpp on the CPU multiplies quantised weights with activations quantised to 8 bits, as the engine's
int8 path does: what it loses against float32 is the bar for that path.
"""

import json
import sys

import xllamacpp


def main(model, reference):
    tokens = json.load(open(reference))["tokens"]
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx = len(tokens) + 8
    params.n_parallel = 1
    params.cpuparams.n_threads = 1
    server = xllamacpp.Server(params)
    tops = []
    for n in range(1, len(tokens)):
        answer = server.handle_completions(
            {
                "prompt": tokens[:n],
                "max_tokens": 1,
                "n_predict": 1,
                "temperature": 0.0,
                "logprobs": 1,
                "cache_prompt": True,
                "return_tokens": True,
            }
        )
        if n == 1:
            print(json.dumps(answer), file=sys.stderr)
        tops.append(answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"][0]["id"])
    json.dump(
        {
            "engine": f"llama.cpp on the CPU, by PyPI xllamacpp {xllamacpp.__version__}",
            "command": "python tests/reference/make_llama_cpp.py MODEL.gguf REFERENCE.json",
            "tops": tops,
        },
        sys.stdout,
    )
    print()


main(*sys.argv[1:])
