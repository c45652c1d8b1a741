// Weights on their way to the device: damaged, cut off, killed in mid-model, and then without any
// server.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { launch, newProfile, open, removeProfile, withBrowser } from "../lib/browser.mjs";
import { startProxy } from "../lib/proxy.mjs";
import * as scripts from "../lib/scripts.mjs";
import { startServer } from "../lib/server.mjs";
import { MODEL } from "../lib/settings.mjs";

const CHUNK_BYTES = 4 * 1024 * 1024;
const CHUNK = /^\/weights\/chunks\//;
/** One token of a prompt goes through the model: shows that it stands on the GPU. */
const SMALLEST = { model: MODEL, place: "device", prompt: [1], echo: true, max_tokens: 0, logprobs: 1 };

const chunkBytes = (proxy) =>
  [...proxy.bytes].filter(([url]) => CHUNK.test(url)).reduce((sum, [, bytes]) => sum + bytes, 0);

describe("weights", () => {
  let server;
  let manifest;
  before(async () => {
    server = await startServer();
    manifest = await (await fetch(`${server.origin}/weights/${MODEL}/manifest`)).json();
  });
  after(() => server.stop());

  it("goes on after a kill, fetches little twice, and then works without the server", { timeout: 480_000 }, async () => {
    const profile = await newProfile();
    const proxy = await startProxy(server.origin);
    try {
      const connections = await killedInMidModel(profile, proxy);
      const context = await launch(profile);
      const { page, complaints } = await open(context, proxy.origin);
      await scripts.ready(page);
      const online = await scripts.complete(page, SMALLEST);
      const fetched = chunkBytes(proxy);
      const twice = fetched - manifest.size_bytes;
      console.log(`${(fetched / 1e6).toFixed(1)} MB fetched for ${(manifest.size_bytes / 1e6).toFixed(1)} MB; ${connections} connections at once`);
      assert.ok(twice <= connections * CHUNK_BYTES, `${twice} bytes were fetched twice`);
      assert.deepEqual(complaints.csp, []);

      await shellIsKept(page);
      await context.close();
      await worksOffline(profile, proxy, online);
    } finally {
      await proxy.close();
      await removeProfile(profile);
    }
  });

  it("fetches a damaged and a cut-off chunk once more", { timeout: 300_000 }, async () => {
    const [damaged, cut] = [manifest.chunks[1], manifest.chunks[2]].map(({ sha256 }) => `/weights/chunks/${sha256}`);
    const proxy = await startProxy(server.origin, ({ url, number }) => {
      if (number > 1) return undefined;
      if (url === damaged) return { corrupt: true };
      if (url === cut) return { abortAfter: 1_000_000 };
      return undefined;
    });
    try {
      await withBrowser({}, async (context) => {
        const { page } = await open(context, proxy.origin);
        await scripts.ready(page);
        const answer = await scripts.complete(page, SMALLEST);
        assert.equal(answer.choices[0].logprobs.token_ids.length, 1);
      });
      assert.equal(proxy.requests.get(damaged), 2);
      assert.ok(proxy.requests.get(cut) >= 2);
    } finally {
      await proxy.close();
    }
  });

  it("reports a chunk that stays damaged, and never uses it", { timeout: 180_000 }, async () => {
    const damaged = `/weights/chunks/${manifest.chunks[0].sha256}`;
    const proxy = await startProxy(server.origin, ({ url }) => (url === damaged ? { corrupt: true } : undefined));
    try {
      await withBrowser({}, async (context) => {
        const { page } = await open(context, proxy.origin);
        await scripts.ready(page);
        const error = await page.evaluate(
          (request) => globalThis.portico.completions.create(request).then(() => undefined, (error) => ({ code: error.code, message: error.message })),
          SMALLEST,
        );
        assert.ok(error, "the request fails");
        assert.equal(error.code, "chunk_damaged", error.message);
      });
      assert.equal(proxy.requests.get(damaged), 2, "fetched again once, then given up");
    } finally {
      await proxy.close();
    }
  });
});

/** Starts the download and kills the browser in the middle; gives how many chunks came at once. */
async function killedInMidModel(profile, proxy) {
  let inFlight = 0;
  let most = 0;
  proxy.setFault(({ url }) => {
    if (!CHUNK.test(url)) return undefined;
    inFlight += 1;
    most = Math.max(most, inFlight);
    setTimeout(() => (inFlight -= 1), 300);
    return { delayMs: 300 };
  });
  const context = await launch(profile);
  const { page } = await open(context, proxy.origin);
  await scripts.ready(page);
  page.evaluate((request) => void globalThis.portico.completions.create(request).catch(() => {}), SMALLEST).catch(() => {});
  const end = Date.now() + 120_000;
  while (chunkBytes(proxy) < 30e6) {
    assert.ok(Date.now() < end, "the download goes on");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  // A crash of the whole browser, not a polite end.
  const session = await context.browser()?.newBrowserCDPSession?.().catch(() => undefined);
  if (session) await session.send("Browser.crash").catch(() => {});
  await context.close().catch(() => {});
  assert.ok(chunkBytes(proxy) < 90e6, "it was killed in mid-model");
  proxy.setFault(() => undefined);
  return most;
}

/** Waits until the service worker has kept the page. */
const shellIsKept = (page) =>
  page.waitForFunction(async () => {
    const names = (await caches.keys()).filter((name) => name.startsWith("portico-shell-"));
    for (const name of names) if (await (await caches.open(name)).match("/")) return true;
    return false;
  });

/** Opens the page with a dead server: the shell and the cached model work. */
async function worksOffline(profile, proxy, online) {
  proxy.setFault(() => ({ refuse: true }));
  const context = await launch(profile);
  const { page } = await open(context, proxy.origin);
  await scripts.ready(page);
  const offline = await scripts.complete(page, SMALLEST);
  assert.deepEqual(offline.choices[0].logprobs, online.choices[0].logprobs);
  await context.close();
}
