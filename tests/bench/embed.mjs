// Vectors a second of passages of about 128 tokens: on the device in Chromium, and on the server beside
// it.

import { launch, newProfile, removeProfile } from "../e2e/lib/browser.mjs";
import * as scripts from "../e2e/lib/scripts.mjs";
import { startServer } from "../e2e/lib/server.mjs";
import { PROSE } from "./prose.mjs";
import { record, table } from "./report.mjs";

const MODEL = "multilingual-e5-small";
const N_PASSAGES = Number(process.env.PORTICO_BENCH_PASSAGES ?? 16);
const WORDS = 98;

const words = PROSE.split(/\s+/);
const passages = Array.from({ length: N_PASSAGES }, (_, i) => Array.from({ length: WORDS }, (_, j) => words[(i * 7 + j) % words.length]).join(" "));

const server = await startServer();
const profile = await newProfile();
const context = await launch(profile);
try {
  const page = await context.newPage();
  await page.goto(server.origin);
  await scripts.ready(page);
  const rows = [];
  for (const place of ["device", "server"]) {
    rows.push(await page.evaluate(
      async ([model, input, place]) => {
        const create = globalThis.portico.embeddings.create;
        // What is loaded and set up at the first call.
        await create({ model, input: input.slice(0, 2), input_type: "passage", place });
        const start = performance.now();
        const { data, usage } = await create({ model, input, input_type: "passage", place });
        const seconds = (performance.now() - start) / 1000;
        return { place, "vectors per s": data.length / seconds, "tokens of each": usage.prompt_tokens / data.length, "tokens per s": usage.prompt_tokens / seconds };
      },
      [MODEL, passages, place],
    ));
  }
  table(rows);
  await record({ model: MODEL, n_passages: N_PASSAGES, rows });
} finally {
  await context.close();
  await removeProfile(profile);
  await server.stop();
}
