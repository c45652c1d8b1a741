// The roofline in Chromium: what the kernels of a token take on the browser's adapter against what
// two micro-kernels say it could do. The worker measures; this reads its report.

import { open, withBrowser } from "../e2e/lib/browser.mjs";
import * as scripts from "../e2e/lib/scripts.mjs";
import { startServer } from "../e2e/lib/server.mjs";
import { MODEL } from "../e2e/lib/settings.mjs";
import { record, table } from "./report.mjs";

const BAR = 0.6;

const server = await startServer();
try {
  const report = await withBrowser({}, async (context) => {
    const { page } = await open(context, `${server.origin}/?debug`);
    await scripts.ready(page);
    await scripts.complete(page, { model: MODEL, prompt: [1], max_tokens: 1 });
    return page.evaluate((model) => globalThis.portico.debug.roofline({ model }), MODEL);
  });
  table(report.rows ?? [{ phase: "decode", ratio: report.decode_ratio }, { phase: "prefill", ratio: report.prefill_ratio }]);
  await record({ ...report, bar: BAR });
  if (Math.min(report.decode_ratio, report.prefill_ratio) < BAR) {
    console.error(`below ${BAR} of the roofline`);
    process.exitCode = 1;
  }
} finally {
  await server.stop();
}
