// Our engine beside llama.cpp's Vulkan backend, both on lavapipe: same GGUF, same tokens, same run.
//
// The two take turns, and each figure is the median of its turns, so that what else the machine
// does hits both.

import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { median, record, table } from "./report.mjs";
import { PROSE } from "./prose.mjs";

const N_PROMPT = 256;
const N_DECODE = Number(process.env.PORTICO_BENCH_DECODE ?? 24);
const TURNS = Number(process.env.PORTICO_BENCH_TURNS ?? 2);
const BAR = 2;

const model = join(process.env.PORTICO_MODELS_DIR, process.env.PORTICO_MODEL_FILE ?? "smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf");
const folder = await mkdtemp(join(tmpdir(), "portico-bench-"));

try {
  const llama = await openLlama();
  const tokens = llama.tokenize(PROSE).slice(0, N_PROMPT);
  if (tokens.length < N_PROMPT) throw new Error(`the text has only ${tokens.length} tokens`);
  // Both compile their kernels before the clock starts; ours does so in each run of its program.
  await llama.run(tokens);
  const turns = { ours: [], llama_cpp: [] };
  for (let turn = 0; turn < TURNS; turn += 1) {
    turns.ours.push(await runOurs(tokens));
    turns.llama_cpp.push(await llama.run(tokens));
  }
  const rows = Object.entries(turns).map(([engine, runs]) => ({
    engine,
    "prefill tok/s": median(runs.map((run) => run.prefill_tokens_per_s)),
    "decode tok/s": median(runs.map((run) => run.decode_tokens_per_s)),
  }));
  const ratio = (column) => rows[0][column] / rows[1][column];
  table([...rows, { engine: "ratio", "prefill tok/s": ratio("prefill tok/s"), "decode tok/s": ratio("decode tok/s") }]);
  await record({ n_prompt: N_PROMPT, n_decode: N_DECODE, model, turns, prefill_ratio: ratio("prefill tok/s"), decode_ratio: ratio("decode tok/s"), bar: BAR });
  const short = ["prefill tok/s", "decode tok/s"].filter((column) => ratio(column) < BAR);
  if (short.length) {
    console.error(`below ${BAR} times llama.cpp: ${short.join(", ")}`);
    process.exitCode = 1;
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exit();

async function runOurs(tokens) {
  const file = join(folder, "tokens.json");
  await writeFile(file, JSON.stringify(tokens));
  const args = ["--model", model, "--tokens", file, "--decode", String(N_DECODE)];
  const { stdout } = await promisify(execFile)(process.env.PORTICO_SPEED, args);
  return JSON.parse(stdout);
}

async function openLlama() {
  process.env.GGML_VK_VISIBLE_DEVICES ??= "0";
  const require = createRequire(join(process.env.PORTICO_PEERS, "x.js"));
  const { getLlama } = await import(pathToFileURL(require.resolve("node-llama-cpp")).href);
  const llama = await getLlama({ gpu: "vulkan", build: "never", skipDownload: true });
  const loaded = await llama.loadModel({ modelPath: model, gpuLayers: "max" });
  const devices = await llama.getGpuDeviceNames();
  console.log(`llama.cpp ${llama.llamaCppRelease.release} on ${devices.join(", ")}`);
  return {
    tokenize: (text) => loaded.tokenize(text).map(Number),
    run: async (tokens) => {
      const context = await loaded.createContext({ contextSize: 1024, batchSize: N_PROMPT });
      const sequence = context.getSequence();
      let start = performance.now();
      await sequence.evaluateWithoutGeneratingNewTokens(tokens.slice(0, -1));
      const prefill_s = (performance.now() - start) / 1000;
      const times = [];
      start = performance.now();
      for await (const _token of sequence.evaluate(tokens.slice(-1), { temperature: 0, yieldEogToken: true })) {
        times.push(performance.now());
        if (times.length > N_DECODE) break;
      }
      await context.dispose();
      return {
        prefill_tokens_per_s: (tokens.length - 1) / prefill_s,
        // The first token also pays for what is set up at the first step.
        decode_tokens_per_s: (times.length - 1) / ((times.at(-1) - times[0]) / 1000),
      };
    },
  };
}
