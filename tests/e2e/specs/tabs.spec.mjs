// One engine for all tabs: shared, handed over when its tab closes, rebuilt when the GPU is lost.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { launch, newProfile, open, removeProfile, withBrowser } from "../lib/browser.mjs";
import * as scripts from "../lib/scripts.mjs";
import { startServer } from "../lib/server.mjs";
import { MODEL } from "../lib/settings.mjs";

/** Each token of the answer leads by 0.9 logits or more: 8-bit roundings, which differ with how a prompt is cut, turn none over. */
const REQUEST = {
  model: MODEL,
  messages: [{ role: "user", content: "List the first ten letters of the alphabet." }],
  temperature: 0,
  max_tokens: 24,
};

/** A form that no answer comes to the end of: the model would end after thirty tokens. */
const ENDLESS = { type: "regex", regex: "([a-z]{2,9} ){2000}" };

/** Opens the page so that it tells what its worker counts. */
async function openTab(context, origin) {
  const { page } = await open(context, `${origin}/?debug`);
  await scripts.ready(page);
  await page.evaluate(() => globalThis.portico.ready.then(() => undefined));
  return page;
}

const debug = (page) => page.evaluate(() => globalThis.portico.debug());

/** Starts a streamed answer; its pieces gather in the page. */
const startStream = (page, request) =>
  page.evaluate((wanted) => {
    globalThis.streamed = { text: "", tokenIds: [], ends: [], error: undefined, over: false };
    const read = async () => {
      for await (const chunk of globalThis.portico.chat.completions.create({ ...wanted, stream: true })) {
        const [choice] = chunk.choices;
        globalThis.streamed.text += choice.delta.content ?? "";
        globalThis.streamed.tokenIds.push(...(choice.delta.token_ids ?? []));
        if (choice.finish_reason) globalThis.streamed.ends.push({ reason: choice.finish_reason, usage: chunk.usage });
      }
    };
    read()
      .catch((error) => (globalThis.streamed.error = { code: error.code, message: error.message }))
      .finally(() => (globalThis.streamed.over = true));
  }, request);

const untilTokens = (page, n) =>
  page.waitForFunction((least) => globalThis.streamed.tokenIds.length >= least || globalThis.streamed.over, n);

async function streamEnd(page) {
  await page.waitForFunction(() => globalThis.streamed.over);
  return page.evaluate(() => globalThis.streamed);
}

/** A stream that was interrupted says what an uninterrupted answer says, once. */
async function isWholeAnswer(page, streamed) {
  assert.equal(streamed.error, undefined);
  assert.equal(streamed.ends.length, 1, "it ends once");
  const [{ reason, usage }] = streamed.ends;
  const whole = await scripts.chat(page, REQUEST);
  assert.equal(streamed.text, whole.choices[0].message.content);
  assert.equal(reason, whole.choices[0].finish_reason);
  assert.equal(usage.completion_tokens, whole.usage.completion_tokens);
  // The end token is computed and never told.
  const told = usage.completion_tokens - (reason === "stop" ? 1 : 0);
  assert.equal(streamed.tokenIds.length, told, "each token is told once");
}

describe("tabs", () => {
  let server;
  let profile;
  let context;
  before(async () => {
    server = await startServer();
    profile = await newProfile();
    context = await launch(profile);
  });
  after(async () => {
    await context.close();
    await removeProfile(profile);
    await server.stop();
  });

  /** The one tab that a test before has left, with its engine: to make one takes longer than a test. */
  const openedTab = async () => {
    const tabs = context.pages().filter((page) => page.url().startsWith(server.origin));
    assert.ok(tabs.length < 2, `${tabs.length} tabs are open`);
    return tabs[0] ?? openTab(context, server.origin);
  };

  it("share one engine, and another takes over in mid-answer", { timeout: 600_000 }, async () => {
    const first = await openedTab();
    const second = await openTab(context, server.origin);
    assert.deepEqual([(await debug(first)).leads, (await debug(second)).leads], [true, false]);

    // The follower's request runs in the first tab's worker.
    await startStream(second, REQUEST);
    await untilTokens(second, 5);
    assert.ok((await debug(first)).uploaded_bytes > 0);
    assert.equal((await debug(second)).uploaded_bytes, 0);

    const fetched = (await debug(first)).fetched_bytes;
    assert.ok(fetched > 0);
    await first.close();
    const streamed = await streamEnd(second);
    const after = await debug(second);
    assert.ok(after.leads, "the second tab took over");
    assert.equal(after.fetched_bytes, 0, "and found the weights on the device");
    await isWholeAnswer(second, streamed);
  });

  it("stop what a closed tab asked for", { timeout: 120_000 }, async () => {
    const leader = await openedTab();
    const follower = await openTab(context, server.origin);
    assert.deepEqual([(await debug(leader)).leads, (await debug(follower)).leads], [true, false]);
    await startStream(follower, { ...REQUEST, max_tokens: 2000, response_format: ENDLESS });
    await untilTokens(follower, 2);
    await follower.close();
    // The engine is free again long before two thousand tokens.
    const answer = await scripts.chat(leader, { ...REQUEST, max_tokens: 1 });
    assert.equal(answer.usage.completion_tokens, 1);
  });

  it("go on after the GPU device was lost", { timeout: 600_000 }, async () => {
    const page = await openedTab();
    await startStream(page, REQUEST);
    await untilTokens(page, 5);
    await page.evaluate(() => globalThis.portico.loseDevice());
    await isWholeAnswer(page, await streamEnd(page));
    assert.equal((await debug(page)).damaged_chunks, 0);
  });

  it("keep weights in memory when the quota is refused, and say so", { timeout: 600_000 }, () =>
    withBrowser({}, async (context) => {
      const page = await context.newPage();
      const session = await context.newCDPSession(page);
      await session.send("Storage.overrideQuotaForOrigin", { origin: server.origin, quotaSize: 20 * 1024 * 1024 });
      await page.goto(`${server.origin}/?debug`);
      await scripts.ready(page);
      const answer = await scripts.chat(page, { ...REQUEST, max_tokens: 2 });
      assert.equal(answer.usage.completion_tokens, 2);
      const again = await openTab(context, server.origin);
      const { storage } = await again.evaluate(() => globalThis.portico.ready);
      assert.equal(storage.persistent_store, false);
      const heapBytes = (await debug(page)).wasm_memory_bytes;
      assert.ok(heapBytes < 64 * 1024 * 1024, `the weights are not in the Wasm heap of ${heapBytes} bytes`);
    }),
  );
});
