// The main job: a person opens the page, loads the real model, asks, and reads the answer.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { open, withBrowser } from "../lib/browser.mjs";
import * as person from "../lib/person.mjs";
import { startProxy } from "../lib/proxy.mjs";
import * as scripts from "../lib/scripts.mjs";
import { startServer } from "../lib/server.mjs";
import { MODEL } from "../lib/settings.mjs";
import { longestTask } from "../lib/trace.mjs";

/** In its own CPU time; the bar of the project. */
const LONGEST_TASK_MS = 50;
/**
 * Each token of this model's answer leads by 0.9 logits or more, so that 8-bit activations choose it
 * as float32 does; about France they begin as llama.cpp does, with "L'Étoile".
 */
const QUESTION = "What is the capital of Germany?";
const ANSWER = "The capital of Germany is Berlin.";
/** The model is 98 MB: a heap that held it would be larger. */
const WASM_HEAP_BYTES = 64 * 1024 * 1024;

describe("main job", () => {
  let server;
  let proxy;
  before(async () => {
    server = await startServer();
    proxy = await startProxy(server.origin);
  });
  after(async () => {
    await proxy.close();
    await server.stop();
  });

  it("loads the real model and answers what the reference answers", { timeout: 900_000 }, () =>
    withBrowser({}, async (context) => {
      const { page, complaints } = await open(context, proxy.origin);
      await scripts.ready(page);
      assert.ok(await page.evaluate(() => globalThis.crossOriginIsolated), "COOP and COEP are in force");

      const { longest, tasks } = await longestTask(page, async () => {
        await person.loadOffered(page);
        await person.isReady(page);
        await person.choosesLikeliest(page);
        await person.ask(page, QUESTION);
        await person.answerIs(page, "done");
      });

      const answer = page.locator('[data-role="assistant"]').last();
      assert.equal(await answer.locator(".answer").innerText(), ANSWER);
      assert.equal(await answer.getAttribute("data-place"), "device");
      assert.equal(await answer.getAttribute("data-model"), MODEL);
      assert.equal(await answer.getAttribute("data-state"), "done");

      const heapBytes = await scripts.wasmHeapBytes(page);
      console.log(`longest task ${longest.cpu_ms.toFixed(1)} ms of CPU (${longest.wall_ms.toFixed(1)} ms on the clock) of ${tasks}; Wasm heap ${(heapBytes / 1e6).toFixed(1)} MB`);
      assert.ok(longest.cpu_ms <= LONGEST_TASK_MS, `a task of ${longest.cpu_ms} ms on the page's thread`);
      assert.ok(heapBytes > 0, "the worker tells the size of its heap");
      assert.ok(heapBytes <= WASM_HEAP_BYTES, `the Wasm heap is ${heapBytes} bytes`);
      assert.deepEqual(complaints, { errors: [], csp: [], foreign: [] });

      await answersScripts(page);
      staysOnTheDevice(proxy.sent);
    }),
  );
});

/** Nothing of a conversation on the device is in any request: no body at all, no word in a head. */
function staysOnTheDevice(sent) {
  assert.ok(sent.some(({ head }) => head.includes("/weights/")), "the page came through the proxy");
  for (const { head, body } of sent) {
    assert.equal(Buffer.concat(body).length, 0, `a body was sent: ${head}`);
    const text = decodeURIComponent(head.replaceAll("+", " ").replaceAll(/%(?![0-9a-f]{2})/gi, "%25"));
    for (const words of [QUESTION, ANSWER, "capital", "Berlin"]) {
      assert.ok(!text.includes(words), `"${words}" was sent: ${text}`);
    }
  }
}

/** The same engine through the call for scripts, with Portico's own metadata. */
async function answersScripts(page) {
  const completion = await scripts.chat(page, {
    model: MODEL,
    messages: [{ role: "user", content: QUESTION }],
    temperature: 0,
    max_tokens: 16,
  });
  assert.equal(completion.object, "chat.completion");
  assert.equal(completion.choices[0].message.content, ANSWER);
  assert.equal(completion.choices[0].finish_reason, "stop");
  assert.ok(completion.usage.completion_tokens > 0 && completion.usage.completion_tokens <= 16);
  const { place, model, time_to_first_token_ms, decode_tokens_per_s } = completion.portico;
  assert.equal(place, "device");
  assert.equal(model, MODEL);
  assert.ok(time_to_first_token_ms > 0);
  assert.ok(decode_tokens_per_s > 0);

  const streamed = await page.evaluate(async ({ model, question }) => {
    const pieces = [];
    const stream = await globalThis.portico.chat.completions.create({
      model,
      messages: [{ role: "user", content: question }],
      temperature: 0,
      max_tokens: 16,
      stream: true,
    });
    for await (const chunk of stream) pieces.push(chunk);
    return pieces;
  }, { model: MODEL, question: QUESTION });
  const text = streamed.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
  assert.equal(text, completion.choices[0].message.content, "the stream says what the whole answer says");
  assert.ok(streamed.length > 2, "it comes in pieces");
  assert.ok(streamed.at(-1).portico, "the last piece carries the metadata");
}
