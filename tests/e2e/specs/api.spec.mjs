// `window.portico`: OpenAI's shapes, streams, stopping, and errors with their codes.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { launch, newProfile, open, removeProfile } from "../lib/browser.mjs";
import * as scripts from "../lib/scripts.mjs";
import { startServer } from "../lib/server.mjs";
import { MODEL } from "../lib/settings.mjs";

/** Its answer is clear enough that it is the same from a kept prefix and from none, in 8 bits too. */
const MESSAGES = [{ role: "user", content: "What is the capital of Germany?" }];

/** What `window.portico` throws for a request. */
const thrown = (page, path, request) =>
  page.evaluate(
    async ([path, wanted]) => {
      const create = path === "chat" ? globalThis.portico.chat.completions.create : globalThis.portico.completions.create;
      try {
        await create(wanted);
        return undefined;
      } catch (error) {
        return { isError: error instanceof Error, code: error.code, status: error.status, message: error.message };
      }
    },
    [path, request],
  );

describe("window.portico", () => {
  let server;
  let profile;
  let context;
  let page;
  before(async () => {
    server = await startServer();
    profile = await newProfile();
    context = await launch(profile);
    ({ page } = await open(context, server.origin));
    await scripts.ready(page);
  });
  after(async () => {
    await context.close();
    await removeProfile(profile);
    await server.stop();
  });

  it("lists the models that it can run", async () => {
    const list = await page.evaluate(() => globalThis.portico.models.list());
    assert.equal(list.object, "list");
    assert.ok(list.data.some(({ id, object }) => id === MODEL && object === "model"));
  });

  it("loads the named model and streams the same answer that it gives whole", { timeout: 300_000 }, async () => {
    const request = { model: MODEL, messages: MESSAGES, temperature: 0, max_tokens: 8 };
    const whole = await scripts.chat(page, request);
    const pieces = await page.evaluate(async (wanted) => {
      const pieces = [];
      for await (const chunk of globalThis.portico.chat.completions.create({ ...wanted, stream: true })) pieces.push(chunk);
      return pieces;
    }, request);
    assert.equal(pieces[0].object, "chat.completion.chunk");
    assert.equal(pieces[0].choices[0].delta.role, "assistant");
    const text = pieces.map(({ choices }) => choices[0].delta.content ?? "").join("");
    assert.equal(text, whole.choices[0].message.content);
    const last = pieces.at(-1);
    assert.equal(last.choices[0].finish_reason, whole.choices[0].finish_reason);
    assert.equal(last.usage.completion_tokens, whole.usage.completion_tokens);
    assert.equal(last.portico.place, "device");
    // The same conversation stands in the cache.
    assert.ok(last.usage.prompt_tokens_details.cached_tokens > 0);
  });

  it("goes on behind the tokens that stand", { timeout: 120_000 }, async () => {
    const request = { model: MODEL, messages: MESSAGES, temperature: 0, max_tokens: 8 };
    const pieces = await page.evaluate(async (wanted) => {
      const ids = [];
      for await (const chunk of globalThis.portico.chat.completions.create({ ...wanted, stream: true })) {
        ids.push(...(chunk.choices[0].delta.token_ids ?? []));
      }
      const rest = [];
      const standing = { ...wanted, stream: true, portico_continue: { token_ids: ids.slice(0, 3) } };
      for await (const chunk of globalThis.portico.chat.completions.create(standing)) {
        rest.push(...(chunk.choices[0].delta.token_ids ?? []));
      }
      return { ids, rest };
    }, request);
    assert.deepEqual(pieces.rest, pieces.ids.slice(3));
  });

  it("echoes a prompt of token ids with its log-probabilities", { timeout: 120_000 }, async () => {
    const prompt = [504, 3575, 282, 4649, 314];
    const { choices, usage } = await scripts.complete(page, { model: MODEL, prompt, echo: true, max_tokens: 0, logprobs: 3 });
    const { logprobs } = choices[0];
    assert.deepEqual(logprobs.token_ids, prompt);
    assert.equal(logprobs.token_logprobs[0], null);
    assert.equal(logprobs.top_token_ids[0], null);
    for (const place of [1, 2, 3, 4]) {
      assert.equal(logprobs.top_token_ids[place].length, 3);
      assert.ok(logprobs.token_logprobs[place] <= 0);
    }
    assert.equal(choices[0].token_ids, undefined, "nothing was generated");
    assert.equal(usage.completion_tokens, 0);
  });

  it("stops where a script says so", { timeout: 120_000 }, async () => {
    const counted = await page.evaluate(async (wanted) => {
      let n = 0;
      for await (const chunk of globalThis.portico.chat.completions.create(wanted)) {
        n += chunk.choices[0].delta.token_ids?.length ?? 0;
        if (n >= 2) break;
      }
      const controller = new AbortController();
      const aborted = globalThis.portico.chat.completions.create({ ...wanted, stream: false }, { signal: controller.signal });
      setTimeout(() => controller.abort(), 500);
      const code = await aborted.then(() => undefined, (error) => error.code);
      return { n, code };
    }, { model: MODEL, messages: MESSAGES, stream: true, max_tokens: 2000, temperature: 1 });
    assert.ok(counted.n >= 2 && counted.n < 50);
    assert.equal(counted.code, "cancelled");
    // The engine is free for the next.
    const next = await scripts.complete(page, { model: MODEL, prompt: "One", max_tokens: 1, temperature: 0 });
    assert.equal(next.usage.completion_tokens, 1);
  });

  it("throws errors with their codes", { timeout: 120_000 }, async () => {
    const unknown = await thrown(page, "chat", { model: "no-such-model", messages: MESSAGES });
    assert.deepEqual([unknown.isError, unknown.code, unknown.status], [true, "model_not_found", 404]);
    const broken = await thrown(page, "chat", { model: MODEL, messages: "text" });
    assert.deepEqual([broken.isError, broken.code, broken.status], [true, "invalid_request", 400]);
    const hot = await thrown(page, "chat", { model: MODEL, messages: MESSAGES, temperature: 9 });
    assert.equal(hot.code, "invalid_request");
    assert.match(hot.message, /temperature/);
    const sourced = await thrown(page, "chat", { model: MODEL, messages: MESSAGES, retrieval: {} });
    assert.match(sourced.message, /retrieval/);
    const foreign = await thrown(page, "completions", { model: MODEL, prompt: [10_000_000], max_tokens: 1 });
    assert.equal(foreign.code, "invalid_request");
    const long = await thrown(page, "completions", { model: MODEL, prompt: Array(9_000).fill(1), max_tokens: 1 });
    assert.equal(long.code, "context_length_exceeded");
  });
});
