// Our page beside wllama in the same Chromium: tokens a second, and the time from opening the page
// to a loaded model that is cached.

import { join } from "node:path";
import { launch, newProfile, removeProfile } from "../e2e/lib/browser.mjs";
import * as scripts from "../e2e/lib/scripts.mjs";
import { startServer } from "../e2e/lib/server.mjs";
import { MODEL, data } from "../e2e/lib/settings.mjs";
import { PROSE } from "./prose.mjs";
import { median, record, table } from "./report.mjs";
import * as peer from "./wllama_page.mjs";

const N_DECODE = Number(process.env.PORTICO_BENCH_DECODE ?? 24);
const OPENINGS = Number(process.env.PORTICO_BENCH_OPENINGS ?? 3);
const THREADS = [1, 2];
const OPENING_BAR = 0.7;
/** A browser that has just been started is busy with itself: a page is opened in one that has settled. */
const SETTLE_MS = 1500;

const modelFile = join(data(), "models", process.env.PORTICO_MODEL_FILE ?? `${MODEL}/SmolLM2-135M-Instruct.Q4_1.gguf`);
const ours = await measureOurs();
const wllama = await measureWllama();

const best = wllama.runs.reduce((a, b) => (a.decode_tokens_per_s > b.decode_tokens_per_s ? a : b));
table([
  { engine: "Portico, WebGPU", ...ours.run, "cached open s": ours.opening_ms / 1000 },
  ...wllama.runs.map((run) => ({ engine: `wllama, ${run.threads} thread(s)`, prefill_tokens_per_s: run.prefill_tokens_per_s, decode_tokens_per_s: run.decode_tokens_per_s, "cached open s": run === best ? wllama.opening_ms / 1000 : undefined })),
]);
const opening = ours.opening_ms / wllama.opening_ms;
console.log(`cached opening: ${opening.toFixed(2)} of wllama's (bar: ${OPENING_BAR})`);
console.log("@huggingface/transformers: not measured, for no ONNX of this model can be had from the package registries");
await record({ model: MODEL, n_decode: N_DECODE, ours, wllama, decode_ratio: ours.run.decode_tokens_per_s / best.decode_tokens_per_s, prefill_ratio: ours.run.prefill_tokens_per_s / best.prefill_tokens_per_s, opening_ratio: opening, opening_bar: OPENING_BAR });
if (!(opening <= OPENING_BAR)) process.exitCode = 1;

async function measureOurs() {
  const server = await startServer();
  const profile = await newProfile();
  try {
    const first = await launch(profile);
    const page = await openOurs(first, server.origin);
    await scripts.complete(page, { model: MODEL, prompt: [1], max_tokens: 1 });
    const answer = await scripts.complete(page, { model: MODEL, prompt: PROSE, max_tokens: N_DECODE, temperature: 0 });
    const { prefill_tokens_per_s, decode_tokens_per_s } = answer.portico;
    await first.close();
    const openings = [];
    for (let i = 0; i < OPENINGS; i += 1) {
      const context = await launch(profile);
      openings.push(await timeToLoaded(context, server.origin));
      await context.close();
    }
    return { run: { prefill_tokens_per_s, decode_tokens_per_s }, n_prompt: answer.usage.prompt_tokens, openings_ms: openings, opening_ms: median(openings) };
  } finally {
    await removeProfile(profile);
    await server.stop();
  }
}

async function openOurs(context, origin) {
  const page = await context.newPage();
  await page.goto(origin);
  await scripts.ready(page);
  return page;
}

/** From the navigation's start until the page shows that the model stands, by the page's own clock. */
async function timeToLoaded(context, origin) {
  const page = await settledPage(context);
  await page.goto(origin);
  return page.evaluate(async (model) => {
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    while (!globalThis.portico) await frame();
    const answer = globalThis.portico.completions.create({ model, place: "device", prompt: [1], max_tokens: 1 });
    while (!document.querySelector('[data-model-state="ready"]')) await frame();
    const loaded_ms = performance.now();
    await answer;
    return loaded_ms;
  }, MODEL);
}

async function settledPage(context) {
  const page = await context.newPage();
  await page.waitForTimeout(SETTLE_MS);
  return page;
}

async function measureWllama() {
  const served = await peer.serveWllama(process.env.PORTICO_PEERS, modelFile);
  const profile = await newProfile();
  try {
    const runs = [];
    for (const threads of THREADS) {
      const context = await launch(profile);
      const page = await context.newPage();
      await page.goto(served.origin);
      const loaded = await peer.load(page, threads);
      runs.push({ ...loaded, ...(await peer.run(page, PROSE, N_DECODE)), threads });
      await context.close();
    }
    const threads = runs.reduce((a, b) => (a.decode_tokens_per_s > b.decode_tokens_per_s ? a : b)).threads;
    const openings = [];
    for (let i = 0; i < OPENINGS; i += 1) {
      const context = await launch(profile);
      const page = await settledPage(context);
      await page.goto(served.origin);
      openings.push((await peer.load(page, threads)).loaded_ms);
      await context.close();
    }
    return { runs, openings_ms: openings, opening_ms: median(openings) };
  } finally {
    await removeProfile(profile);
    await served.close();
  }
}
