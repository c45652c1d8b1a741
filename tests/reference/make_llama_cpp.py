"""Which token does llama.cpp find most likely after each token of a text, the text being forced?

    pip install xllamacpp==2026.10.11549
    python make_llama_cpp.py MODEL.gguf smollm2-135m-q4_1.alice29.f32.json > smollm2-135m-q4_1.alice29.llama-cpp.json
    python make_llama_cpp.py MODEL.gguf smollm2-135m-q4_1.f32.json > smollm2-135m-q4_1.forced.llama-cpp.json

llama.cpp on the CPU multiplies quantised weights with activations quantised to 8 bits, as the engine's
int8 path does: what it loses against float32 is the bar for that path.
"""

import json
import sys

import xllamacpp

# SmolLM2's <|im_end|>, which is not among the tokens returned.
END_OF_TURN = 2


def most_likely(server, tokens, first):
    """After each token but the last, from the `first`-th on."""
    tops = []
    for n in range(first, len(tokens)):
        answer = server.handle_completions(
            {
                "prompt": tokens[:n],
                "max_tokens": 1,
                "n_predict": 1,
                "temperature": 0.0,
                "cache_prompt": True,
                "return_tokens": True,
                "verbose": True,
            }
        )
        # Not in `logprobs`, which keep silent about a token that is part of a character.
        tops += answer["__verbose"]["tokens"] or [END_OF_TURN]
    return tops


def main(model, reference):
    reference = json.load(open(reference))
    if "prompts" in reference:
        # Only the answers: what the prompt's own tokens were followed by is not stored.
        texts = [(p["prompt_ids"] + p["generated_ids"], len(p["prompt_ids"])) for p in reference["prompts"]]
    else:
        texts = [(reference["tokens"], 1)]
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx = max(len(tokens) for tokens, _ in texts) + 8
    params.n_parallel = 1
    params.cpuparams.n_threads = 1
    server = xllamacpp.Server(params)
    json.dump(
        {
            "engine": f"llama.cpp on the CPU, by PyPI xllamacpp {xllamacpp.__version__}",
            "command": "python tests/reference/make_llama_cpp.py MODEL.gguf REFERENCE.json",
            "tops": [top for text in texts for top in most_likely(server, *text)],
        },
        sys.stdout,
    )
    print()


main(*sys.argv[1:])
