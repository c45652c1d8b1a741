// The official client for Node, unmodified, against a real server. What is asked, and where, is in
// OPENAI_BASE_URL, OPENAI_API_KEY, PORTICO_MODEL and PORTICO_EMBEDDER; PORTICO_CLIENTS is the folder
// of the client's package.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const { PORTICO_CLIENTS, PORTICO_MODEL: model, PORTICO_EMBEDDER: embedder } = process.env;
const resolve = createRequire(path.join(PORTICO_CLIENTS, "x.js")).resolve;
const { default: OpenAI } = await import(pathToFileURL(resolve("openai")));

const client = new OpenAI({ maxRetries: 0, timeout: 120_000 });
const messages = [
  { role: "user", content: "What is the capital of France? Answer in one sentence." },
];
const ask = (more) =>
  client.chat.completions.create({
    model, messages, max_completion_tokens: 24, temperature: 0, ...more,
  });

const person = {
  type: "object",
  properties: {
    name: { type: "string", maxLength: 20 },
    age: { type: "integer", minimum: 0, maximum: 150 },
  },
  required: ["name", "age"],
  additionalProperties: false,
};
const weather = {
  type: "function",
  function: {
    name: "get_weather",
    parameters: {
      type: "object",
      properties: { city: { type: "string", maxLength: 20 } },
      required: ["city"],
      additionalProperties: false,
    },
  },
};

test("models, a whole answer and a stream", async () => {
  const listed = [];
  for await (const each of client.models.list()) listed.push(each.id);
  assert.ok(listed.includes(model));
  const whole = await ask();
  assert.match(whole.choices[0].message.content, /Paris/);
  let said = "";
  let usage;
  const stream = await ask({ stream: true, stream_options: { include_usage: true } });
  for await (const chunk of stream) {
    said += chunk.choices[0]?.delta.content ?? "";
    usage = chunk.usage ?? usage;
  }
  assert.equal(said, whole.choices[0].message.content);
  assert.deepEqual(usage.completion_tokens, whole.usage.completion_tokens);
});

test("the client's own runner reads the stream", async () => {
  const runner = client.chat.completions.stream({
    model, messages, max_completion_tokens: 24, temperature: 0,
  });
  const whole = await runner.finalChatCompletion();
  assert.match(whole.choices[0].message.content, /Paris/);
});

test("JSON by a schema", async () => {
  const answer = await client.chat.completions.parse({
    model,
    messages: [{ role: "user", content: "Invent a person." }],
    response_format: {
      type: "json_schema",
      json_schema: { name: "person", schema: person, strict: true },
    },
    max_completion_tokens: 200,
    seed: 1,
  });
  const invented = JSON.parse(answer.choices[0].message.content);
  assert.deepEqual(Object.keys(invented).sort(), ["age", "name"]);
});

test("tools", async () => {
  const answer = await ask({ tools: [weather], tool_choice: "required", max_completion_tokens: 100 });
  const [call] = answer.choices[0].message.tool_calls;
  assert.equal(call.function.name, "get_weather");
  assert.deepEqual(Object.keys(JSON.parse(call.function.arguments)), ["city"]);
  assert.equal(answer.choices[0].finish_reason, "tool_calls");
});

test("the newer dialect", async () => {
  const asks = { model, input: messages[0].content, max_output_tokens: 24, temperature: 0 };
  const whole = await client.responses.create(asks);
  assert.match(whole.output_text, /Paris/);
  const stream = client.responses.stream(asks);
  const final = await stream.finalResponse();
  assert.equal(final.output_text, whole.output_text);
});

test("embeddings", async () => {
  const answer = await client.embeddings.create({ model: embedder, input: ["a cat", "a dog"] });
  assert.equal(answer.data.length, 2);
  const length = answer.data[0].embedding.reduce((sum, x) => sum + x * x, 0);
  assert.ok(Math.abs(length - 1) < 1e-3, `${length}`);
});

test("errors have their class and code", async () => {
  await assert.rejects(ask({ model: "absent" }), (error) => {
    assert.ok(error instanceof OpenAI.NotFoundError);
    assert.equal(error.code, "model_not_found");
    return true;
  });
  await assert.rejects(ask({ max_completion_tokens: "many" }), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.equal(error.param, "max_completion_tokens");
    return true;
  });
  const stranger = new OpenAI({ apiKey: "sk-nobody", maxRetries: 0 });
  await assert.rejects(() => stranger.models.list().asResponse(), OpenAI.AuthenticationError);
});

test("a stream that is aborted ends", async () => {
  const stream = await ask({
    stream: true, max_completion_tokens: 2_000, logit_bias: { 2: -100, 0: -100 },
  });
  let n = 0;
  for await (const chunk of stream) {
    assert.ok(chunk.choices);
    n += 1;
    if (n === 5) stream.controller.abort();
  }
  assert.ok(n < 200, `${n} chunks came after the abort`);
});
