// The roofline in Chromium: what the kernels of a token take on the browser's adapter against what
// two micro-kernels say it could do. The worker measures; this reads its report.

import { open, withBrowser } from "../e2e/lib/browser.mjs";
import * as scripts from "../e2e/lib/scripts.mjs";
import { startServer } from "../e2e/lib/server.mjs";
import { MODEL } from "../e2e/lib/settings.mjs";
import { record, table } from "./report.mjs";

const BAR = 0.6;
const N_PROMPT = 256;
const N_DECODE = Number(process.env.PORTICO_BENCH_DECODE ?? 16);

const server = await startServer();
try {
  const { report, error } = await withBrowser({}, async (context) => {
    const { page } = await open(context, `${server.origin}/?debug`);
    await scripts.ready(page);
    return page.evaluate((asked) => globalThis.portico.roofline(asked), { model: MODEL, n_prompt: N_PROMPT, n_decode: N_DECODE });
  });
  if (error) throw new Error(JSON.stringify(error));
  const phase = (name, { n_tokens, taken_s, least_s, share }) => ({ phase: name, tokens: n_tokens, "tok/s": n_tokens / taken_s, "taken s": taken_s, "least s": least_s, share });
  table([phase("prefill", report.prefill), phase("decode", report.decode)]);
  console.log(`rates: ${(report.rates.bytes_per_s / 1e9).toFixed(2)} GB/s, ${(report.rates.f32_macs_per_s / 1e9).toFixed(2)} GMAC/s f32, ${(report.rates.dot4_macs_per_s / 1e9).toFixed(2)} GMAC/s dot4, ${(report.rates.dispatch_s * 1e6).toFixed(1)} µs a dispatch`);
  await record({ ...report, bar: BAR });
  if (Math.min(report.decode.share, report.prefill.share) < BAR) {
    console.error(`below ${BAR} of the roofline`);
    process.exitCode = 1;
  }
} finally {
  await server.stop();
}
