// Each state of the page, as a person meets it: accessible and whole, narrow and wide, light and
// dark. `cargo xtask screens` keeps their pictures.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { beforeWorker, open, withBrowser } from "../lib/browser.mjs";
import { look } from "../lib/look.mjs";
import * as person from "../lib/person.mjs";
import { startProxy } from "../lib/proxy.mjs";
import * as scripts from "../lib/scripts.mjs";
import { startServer } from "../lib/server.mjs";

describe("states of the page", () => {
  let server;
  before(async () => (server = await startServer()));
  after(() => server.stop());

  it("looks right from the first visit to a lost device", { timeout: 540_000 }, async () => {
    let delayMs = 0;
    const proxy = await startProxy(server.origin, ({ url }) => (url.startsWith("/weights/chunks/") ? { delayMs } : undefined));
    const wrong = [];
    try {
      await withBrowser({}, async (context) => {
        const { page, complaints } = await open(context, `${proxy.origin}/?debug`);
        await scripts.ready(page);
        await page.getByRole("button", { name: /^Load model/ }).waitFor();
        wrong.push(...(await look(page, "first-visit")));

        delayMs = 4000;
        await person.loadOffered(page);
        await page.locator('[data-model-state="downloading"]').first().waitFor({ state: "attached" });
        await page.waitForTimeout(6000);
        wrong.push(...(await look(page, "loading")));
        delayMs = 0;

        await person.isReady(page);
        wrong.push(...(await look(page, "loaded")));

        await person.choosesLikeliest(page);
        await person.ask(page, "What is the capital of Germany?");
        await person.answerIs(page, "done");
        wrong.push(...(await look(page, "chat")));

        await person.ask(page, "Write a long story about a bridge, a clerk and a river.");
        await person.answerIs(page, "streaming");
        wrong.push(...(await look(page, "streaming")));
        await person.stop(page);
        await person.answerIs(page, "stopped");
        wrong.push(...(await look(page, "stopped")));

        await person.ask(page, "river ".repeat(9000));
        await person.answerIs(page, "error");
        wrong.push(...(await look(page, "error")));

        await context.setOffline(true);
        await person.conditionIs(page, "offline");
        wrong.push(...(await look(page, "offline")));
        await context.setOffline(false);

        await page.evaluate(() => globalThis.portico.loseDevice());
        await person.conditionIs(page, "device-lost");
        wrong.push(...(await look(page, "device-lost")));
        await page.locator('[data-condition="device-lost"]').waitFor({ state: "detached", timeout: 120_000 });
        assert.deepEqual(complaints.csp, []);
        assert.deepEqual(complaints.foreign, []);
      });
    } finally {
      await proxy.close();
    }
    assert.deepEqual(wrong, []);
  });

  it("says what to do without WebGPU, where the server computes nothing either", { timeout: 120_000 }, () =>
    withBrowser({ gpu: false }, async (context) => {
      const alone = await startServer({ env: { PORTICO_ACCESS_PAGE: "false" } });
      try {
        const { page } = await open(context, alone.origin);
        await person.conditionIs(page, "no-webgpu");
        assert.deepEqual(await look(page, "no-webgpu"), []);
      } finally {
        await alone.stop();
      }
    }),
  );

  it("says that weights stay in memory when the browser refuses storage", { timeout: 120_000 }, () =>
    withBrowser({ serviceWorkers: "block" }, async (context) => {
      // The worker finds a browser without a private file system.
      await beforeWorker(context, 'StorageManager.prototype.getDirectory = () => Promise.reject(new DOMException("refused", "SecurityError"));');
      const { page } = await open(context, server.origin);
      await person.conditionIs(page, "weights-in-memory");
      assert.deepEqual(await look(page, "storage-refused"), []);
    }),
  );

  it("speaks German where the browser does", { timeout: 120_000 }, () =>
    withBrowser({ locale: "de-DE" }, async (context) => {
      const { page } = await open(context, server.origin);
      await page.getByRole("button", { name: /^Modell laden/ }).waitFor();
      assert.equal(await page.locator("html").getAttribute("lang"), "de");
      assert.deepEqual(await look(page, "german"), []);
    }),
  );
});
