"""How fast does llama.cpp answer here? One measurement as a line of JSON, for server.mjs, with the
server that PyPI's xllamacpp brings.

    python xllamacpp_speed.py --model MODEL.gguf --tokens TOKENS.json [--threads 2 …]

The options and the prompts are those of tests/src/bin/server_speed.rs.
"""

import argparse
import json
import time
from concurrent.futures import ThreadPoolExecutor

import xllamacpp

options = argparse.ArgumentParser()
options.add_argument("--model", required=True)
options.add_argument("--tokens", required=True)
for name, default in [("threads", 2), ("prefill", 512), ("decode", 128), ("streams", 8), ("short", 64)]:
    options.add_argument(f"--{name}", type=int, default=default)
options = options.parse_args()
with open(options.tokens) as file:
    tokens = json.load(file)


def open_server(n_parallel, n_ctx):
    params = xllamacpp.CommonParams()
    params.model.path = options.model
    params.n_parallel = n_parallel
    params.n_ctx = n_parallel * n_ctx
    params.n_gpu_layers = 0
    for cpu in (params.cpuparams, params.cpuparams_batch):
        cpu.n_threads = options.threads
    # Neither does work that the other side does not do.
    params.cache_ram_mib = 0
    params.ui = False
    return xllamacpp.Server(params)


def answer(server, start, n_prompt, n_predict):
    answer = server.handle_completions(
        {
            "prompt": tokens[start : start + n_prompt],
            "n_predict": n_predict,
            "max_tokens": n_predict,
            "temperature": 0.0,
            "samplers": ["top_k"],
            "top_k": 1,
            "ignore_eos": True,
            "cache_prompt": False,
            "verbose": True,
            "timings_per_token": False,
        }
    )
    if "error" in answer:
        raise SystemExit(f"xllamacpp: {answer['error']}")
    return answer["__verbose"]["timings"] if "__verbose" in answer else answer["timings"]


started = time.perf_counter()
server = open_server(1, 2048)
load_s = time.perf_counter() - started
answer(server, 1, 16, 2)
prefill = answer(server, 0, options.prefill, 1)
decode = answer(server, 2, options.short, options.decode + 1)
del server

server = open_server(options.streams, 512)
answer(server, 1, 16, 2)
started = time.perf_counter()
with ThreadPoolExecutor(options.streams) as pool:
    ask = lambda stream: answer(server, 3 + stream, options.short, options.decode)
    streams = list(pool.map(ask, range(options.streams)))
streams_s = time.perf_counter() - started
del server

print(
    json.dumps(
        {
            "load_s": load_s,
            "prefill_tokens_per_s": prefill["prompt_per_second"],
            "decode_tokens_per_s": decode["predicted_per_second"],
            "streams_tokens_per_s": sum(timings["predicted_n"] for timings in streams) / streams_s,
        }
    )
)
