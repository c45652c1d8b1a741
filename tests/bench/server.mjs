// The server's inference beside llama.cpp's server (PyPI's xllamacpp) and onnxruntime: same files,
// same tokens, as many threads, same run.
//
// The two take turns, and each figure is the median of its turns, so that what else the machine
// does hits both.

import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { median, record, table } from "./report.mjs";

const TURNS = Number(process.env.PORTICO_BENCH_TURNS ?? 3);
const THREADS = Number(process.env.PORTICO_BENCH_THREADS ?? 2);
const BAR = 1;
const EMBEDDINGS_BAR = 0.8;
const MEMORY_BAR_MB = 80;
const MODELS = {
  "SmolLM2-135M Q4_1": "smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf",
  "Qwen2.5-Coder-0.5B Q4_K_M": "qwen2.5-coder-0.5b-instruct/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
};
const MEASURES = {
  "prefill of 512": "prefill_tokens_per_s",
  "decode, one stream": "decode_tokens_per_s",
  "eight streams": "streams_tokens_per_s",
};

const models = process.env.PORTICO_MODELS_DIR;
const folder = await mkdtemp(join(tmpdir(), "portico-bench-"));
const rows = [];
const turns = {};
try {
  // Ids without a pattern, of both vocabularies.
  let state = 1;
  const tokens = Array.from({ length: 1200 }, () => 300 + ((state = (state * 48271) % 2147483647) % 40000));
  const file = join(folder, "tokens.json");
  await writeFile(file, JSON.stringify(tokens));
  const options = ["--tokens", file, "--threads", String(THREADS)];
  for (const [name, path] of Object.entries(MODELS)) {
    const runs = await takeTurns(
      () => run(process.env.PORTICO_SPEED, ["--model", join(models, path), ...options]),
      () => python("xllamacpp_speed.py", ["--model", join(models, path), ...options]),
    );
    turns[name] = runs;
    for (const [measure, key] of Object.entries(MEASURES)) compare(`${name}: ${measure}`, runs, key, "tok/s", BAR);
  }
  const runs = await takeTurns(
    () => run(process.env.PORTICO_EMBED_SPEED, ["--model", join(models, "all-minilm-l6-v2"), ...options]),
    () => python("onnxruntime_speed.py", ["--model", join(models, "all-minilm-l6-v2"), ...options]),
  );
  const cosine = runs.ours[0].first.reduce((sum, value, i) => sum + value * runs.peer[0].first[i], 0);
  if (cosine < 0.999) throw new Error(`the two make other vectors of the same passage: cosine ${cosine}`);
  for (const run of [...runs.ours, ...runs.peer]) delete run.first;
  turns["all-MiniLM-L6-v2"] = runs;
  compare("all-MiniLM-L6-v2: passages of 128", runs, "vectors_per_s", "a second", EMBEDDINGS_BAR);

  table(rows);
  const memory_mb = await idleMemory();
  console.log(`memory of the server with no model loaded: ${memory_mb.toFixed(1)} MB (bar ${MEMORY_BAR_MB})`);
  await record({ threads: THREADS, turns, rows, memory_mb, memory_bar_mb: MEMORY_BAR_MB });
  const short = rows.filter((row) => row.ratio < row.bar).map((row) => row.measure);
  if (memory_mb > MEMORY_BAR_MB) short.push("memory");
  if (short.length) {
    console.error(`short of the bar: ${short.join(", ")}`);
    process.exitCode = 1;
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

function compare(measure, runs, key, unit, bar) {
  const [ours, peer] = [runs.ours, runs.peer].map((turns) => median(turns.map((turn) => turn[key])));
  rows.push({ measure, unit, ours, peer, ratio: ours / peer, bar });
}

async function takeTurns(ours, peer) {
  const runs = { ours: [], peer: [] };
  for (let turn = 0; turn < TURNS; turn += 1) {
    runs.ours.push(await ours());
    runs.peer.push(await peer());
  }
  return runs;
}

/** Runs a program and reads the last line that it prints. */
async function run(program, args, env = {}) {
  const { stdout } = await promisify(execFile)(program, args, { env: { ...process.env, ...env }, maxBuffer: 1 << 26 });
  return JSON.parse(stdout.trim().split("\n").at(-1));
}

function python(script, args) {
  const path = join(import.meta.dirname, script);
  return run(process.env.PORTICO_PYTHON, [path, ...args], { PYTHONPATH: process.env.PORTICO_PYTHONPATH, PYTHONDONTWRITEBYTECODE: "1" });
}

/** Resident memory of a server that has answered, in MB. */
async function idleMemory() {
  const args = ["--lang", "en", "serve", "--addr", "127.0.0.1:0", "--data", join(folder, "data"), "--models-dir", models];
  const child = spawn(process.env.PORTICO_BIN, args, { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, RUST_LOG: "warn" } });
  try {
    const address = await new Promise((resolve, reject) => {
      let text = "";
      child.stdout.on("data", (bytes) => {
        text += bytes;
        const found = text.match(/http:\/\/\S+/);
        if (found) resolve(found[0]);
      });
      child.once("exit", () => reject(new Error(`the server ended: ${text}`)));
    });
    const answer = await fetch(new URL("healthz", address));
    if (!answer.ok) throw new Error(`healthz answers ${answer.status}`);
    // What runs at the start, such as digests of the models, is over after a while.
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const status = await readFile(`/proc/${child.pid}/status`, "utf8");
    return Number(status.match(/VmRSS:\s+(\d+) kB/)[1]) / 1000;
  } finally {
    child.kill("SIGKILL");
  }
}
