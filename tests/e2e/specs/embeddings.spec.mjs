// Texts become vectors on the device: the same that the server makes, beside the model that chats.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { launch, newProfile, open, removeProfile } from "../lib/browser.mjs";
import * as scripts from "../lib/scripts.mjs";
import { startServer } from "../lib/server.mjs";
import { MODEL } from "../lib/settings.mjs";

const EMBEDDER = "multilingual-e5-small";
const N_CTX = 512;

const QUERIES = [
  "Wie melde ich meinen neuen Wohnsitz an?",
  "How do I register my new address?",
  "Öffnungszeiten",
  "Which documents does the registration of a dog need, and until when after moving in must it be done? ".repeat(4),
];
const LONG = "Der Verein tagt am ersten Montag im Monat und lädt alle Mitglieder dazu ein. ".repeat(60);

const embed = (page, request) =>
  page.evaluate((wanted) => globalThis.portico.embeddings.create(wanted), request);

const vectors = ({ data }) => data.map(({ embedding }) => embedding);
const cosine = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);

/** What `path` answers to `body`. */
async function ask(origin, path, body) {
  const headers = { "content-type": "application/json", origin };
  const answer = await fetch(`${origin}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  assert.equal(answer.status, 200, `${path}: ${answer.status}`);
  return answer.json();
}

describe("embeddings on the device", () => {
  let server;
  let profile;
  let context;
  let page;
  before(async () => {
    server = await startServer();
    profile = await newProfile();
    context = await launch(profile);
    ({ page } = await open(context, `${server.origin}/?debug`));
    await scripts.ready(page);
  });
  after(async () => {
    await context.close();
    await removeProfile(profile);
    await server.stop();
  });

  it("are the server's, in German and English, short and long", { timeout: 300_000 }, async () => {
    const request = { model: EMBEDDER, input: QUERIES, input_type: "query" };
    const here = await embed(page, { ...request, place: "device" });
    assert.equal(here.portico.place, "device");
    assert.deepEqual(here.portico.truncated, []);
    assert.equal(here.data.length, QUERIES.length);
    const there = await embed(page, { ...request, place: "server" });
    assert.equal(here.usage.prompt_tokens, there.usage.prompt_tokens);
    const found = vectors(here).map((vector, i) => cosine(vector, vectors(there)[i]));
    assert.ok(found.every((value) => value > 0.999), `${found}`);
    // The prefix makes a difference, so that its lack would be seen.
    const raw = await embed(page, { model: EMBEDDER, input: QUERIES[0], place: "device" });
    assert.ok(cosine(vectors(raw)[0], vectors(there)[0]) < 0.999);
    const { fetched_bytes: fetched, wasm_memory_bytes: heap } = await page.evaluate(() => globalThis.portico.debug());
    assert.ok(fetched > 60_000_000, `${fetched} bytes were fetched`);
    assert.ok(heap < 400_000_000, `${heap} bytes of Wasm memory`);
  });

  it("are cut where the model ends, which is said", { timeout: 120_000 }, async () => {
    const here = await embed(page, {
      model: EMBEDDER, input: ["kurz", LONG], input_type: "passage", place: "device", encoding_format: "base64",
    });
    assert.deepEqual(here.portico.truncated, [1]);
    const { tokens } = await ask(server.origin, "/tokenize", { model: EMBEDDER, prompt: `passage: ${LONG}` });
    assert.ok(tokens.length > N_CTX);
    const cut = [...tokens.slice(0, N_CTX - 1), tokens.at(-1)];
    const there = await embed(page, { model: EMBEDDER, input: cut, place: "server" });
    const bytes = Buffer.from(vectors(here)[1], "base64");
    const vector = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    assert.ok(cosine([...vector], vectors(there)[0]) > 0.999);
  });

  it("are made while an answer is written, and after the device was lost", { timeout: 300_000 }, async () => {
    const passages = Array.from({ length: 12 }, (_, i) => `Absatz ${i}: ${QUERIES[i % 3]}`);
    const request = { model: EMBEDDER, input: passages, input_type: "passage", place: "device" };
    const alone = await embed(page, request);
    const chat = { model: MODEL, messages: [{ role: "user", content: "Count to ten." }], max_tokens: 12, place: "device" };
    const both = await page.evaluate(
      async ([chat, request]) => {
        const [answer, made] = await Promise.all([
          globalThis.portico.chat.completions.create(chat),
          globalThis.portico.embeddings.create(request),
        ]);
        return { n: answer.usage.completion_tokens, place: answer.portico.place, made };
      },
      [chat, request],
    );
    assert.ok(both.n > 0 && both.place === "device");
    assert.deepEqual(vectors(both.made), vectors(alone), "the same bits in whatever company");
    await page.evaluate(() => globalThis.portico.loseDevice());
    assert.deepEqual(vectors(await embed(page, request)), vectors(alone));
  });

  it("of what makes none are refused by name; an abort ends the wait", async () => {
    const refused = await page.evaluate(async ([chat]) => {
      const caught = {};
      const note = (name) => (error) => (caught[name] = error.code);
      const create = globalThis.portico.embeddings.create;
      await create({ model: "no-such-model", input: "x", place: "device" }).catch(note("unknown"));
      await create({ model: chat, input: "x", place: "device" }).catch(note("chat"));
      const ended = AbortSignal.abort();
      await create({ model: "multilingual-e5-small", input: "x", place: "device" }, { signal: ended }).catch(note("aborted"));
      return caught;
    }, [MODEL]);
    assert.deepEqual(refused, { unknown: "model_not_found", chat: "model_unsupported", aborted: "cancelled" });
  });
});
