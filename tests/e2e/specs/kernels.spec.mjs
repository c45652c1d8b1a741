// Each kernel variant that this browser's device runs, beside its twin on the CPU.

import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { open, withBrowser } from "../lib/browser.mjs";
import * as scripts from "../lib/scripts.mjs";
import { startServer } from "../lib/server.mjs";

let server;
before(async () => (server = await startServer()));
after(() => server.stop());

it("computes in Chromium what the twins compute", { timeout: 300_000 }, () =>
  withBrowser({}, async (context) => {
    const { page, complaints } = await open(context, `${server.origin}/?debug`);
    await scripts.ready(page);
    const { report, error } = await page.evaluate(() => globalThis.portico.selfTest());
    assert.equal(error, null);
    // Of every family of variants, those for subgroups and for products of four bytes among them.
    assert.ok(report.length > 250, `only ${report.length} trials`);
    const failed = report.filter((trial) => !trial.passes);
    const lines = failed.map(({ title, error, tolerance, failure }) => `${title}: ${failure ?? `${error} > ${tolerance}`}`);
    console.log(`${report.length - failed.length} of ${report.length} trials pass`);
    assert.equal(lines.length, 0, lines.slice(0, 30).join("\n"));
    assert.deepEqual(complaints.errors, []);
  }),
);
