// Answers in the form that a script asks for, and calls of tools, on the device.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { launch, newProfile, open, removeProfile } from "../lib/browser.mjs";
import * as scripts from "../lib/scripts.mjs";
import { startServer } from "../lib/server.mjs";
import { MODEL } from "../lib/settings.mjs";

const object = (properties, required = Object.keys(properties)) => ({
  type: "object",
  properties,
  required,
  additionalProperties: false,
});
const isInteger = (value, low, high) => Number.isInteger(value) && value >= low && value <= high;
const hasKeys = (value, ...keys) => assert.deepEqual(Object.keys(value), keys) ?? true;

/** Schemas, and what is true of every value that they describe. */
const FORMS = [
  [object({ city: { type: "string", maxLength: 12 } }), (v) => hasKeys(v, "city") && [...v.city].length <= 12],
  [object({ n: { type: "integer", minimum: 3, maximum: 17 } }), (v) => isInteger(v.n, 3, 17)],
  [object({ z: { type: "boolean" }, a: { type: "null" } }), (v) => hasKeys(v, "z", "a") && typeof v.z === "boolean" && v.a === null],
  [{ enum: ["red", "grün", 3] }, (v) => ["red", "grün", 3].includes(v)],
  [{ type: "array", items: { type: "integer", minimum: 0, maximum: 9 }, minItems: 2, maxItems: 3 }, (v) => v.length >= 2 && v.length <= 3 && v.every((n) => isInteger(n, 0, 9))],
  [{ type: "string", pattern: "^[A-Z]{2}-[0-9]{3}$" }, (v) => /^[A-Z]{2}-[0-9]{3}$/.test(v)],
  [{ type: "string", format: "date" }, (v) => /^\d{4}-\d\d-\d\d$/.test(v)],
  [{ anyOf: [{ const: "none" }, object({ id: { type: "integer", minimum: 1, maximum: 99 } })] }, (v) => v === "none" || isInteger(v.id, 1, 99)],
  [{ $defs: { p: { type: "array", prefixItems: [{ enum: ["x"] }, { type: "boolean" }], items: false, minItems: 2 } }, $ref: "#/$defs/p" }, (v) => v.length === 2 && v[0] === "x" && typeof v[1] === "boolean"],
  [object({ who: object({ name: { type: "string", minLength: 1, maxLength: 8 } }), ok: { type: "boolean" } }, ["who"]), (v) => v.who.name.length >= 1],
];

const TOOLS = [
  {
    type: "function",
    function: { name: "weather", description: "The weather of a city", parameters: object({ city: { enum: ["Berlin", "Bonn"] } }) },
  },
];

const thrown = (page, request) =>
  page.evaluate(
    (wanted) => globalThis.portico.completions.create(wanted).then(() => undefined, ({ code, message }) => ({ code, message })),
    request,
  );

describe("structured answers", () => {
  let server;
  let profile;
  let context;
  let page;
  const fetched = [];
  before(async () => {
    server = await startServer();
    profile = await newProfile();
    context = await launch(profile);
    context.on("request", (request) => fetched.push(new URL(request.url()).pathname));
    ({ page } = await open(context, server.origin));
    await scripts.ready(page);
  });
  after(async () => {
    await context.close();
    await removeProfile(profile);
    await server.stop();
  });
  const grammarFetches = () => fetched.filter((path) => path.endsWith("/grammar_bg.wasm")).length;
  const complete = (format, more) =>
    scripts.complete(page, { model: MODEL, prompt: "JSON:", place: "device", max_tokens: 60, seed: 7, response_format: format, ...more });

  it("have the form of ten schemas, by a Wasm that is fetched only then", { timeout: 300_000 }, async () => {
    const plain = await complete(undefined, { max_tokens: 1 });
    assert.equal(plain.usage.completion_tokens, 1);
    assert.equal(grammarFetches(), 0, "who asks for no form pays for none");
    let fetches = 0;
    for (const [schema, holds] of FORMS) {
      const { choices } = await complete({ type: "json_schema", json_schema: { name: "form", schema, strict: true } });
      const [{ text, finish_reason: reason }] = choices;
      assert.equal(reason, "stop", `${text} for ${JSON.stringify(schema)}`);
      assert.ok(holds(JSON.parse(text)), `${text} for ${JSON.stringify(schema)}`);
      // The worker's, and where the service worker stands between, its own.
      if (schema === FORMS[0][0]) fetches = grammarFetches();
    }
    assert.ok(fetches > 0);
    assert.equal(grammarFetches(), fetches, "it is fetched once");
  });

  it("may be a regular expression, a Lark grammar, or cut", { timeout: 120_000 }, async () => {
    const dotted = await complete({ type: "regex", regex: "[ab]{2}\\.[0-9]" });
    assert.match(dotted.choices[0].text, /^[ab]{2}\.[0-9]$/);
    const lark = await complete({ type: "lark", lark: 'start: "yes" | "no"' });
    assert.ok(["yes", "no"].includes(lark.choices[0].text));
    const cut = await complete({ type: "regex", regex: "a{500}" }, { max_tokens: 3 });
    assert.equal(cut.choices[0].finish_reason, "length");
  });

  it("refuse a form that cannot be followed, by its fault", { timeout: 60_000 }, async () => {
    const request = { model: MODEL, prompt: "a", place: "device", max_tokens: 5 };
    const format = (schema) => ({ type: "json_schema", json_schema: { name: "f", schema } });
    const unknown = await thrown(page, { ...request, response_format: format({ type: "array", uniqueItems: true }) });
    assert.equal(unknown.code, "invalid_request");
    assert.match(unknown.message, /uniqueItems/);
    const hostile = await thrown(page, { ...request, response_format: { type: "regex", regex: `${"(".repeat(2_000)}a${"){900}".repeat(300)}` } });
    assert.equal(hostile.code, "invalid_request");
  });

  it("are calls of tools, streamed as they are whole", { timeout: 180_000 }, async () => {
    const request = {
      model: MODEL,
      messages: [{ role: "user", content: "Weather in Bonn?" }],
      tools: TOOLS,
      tool_choice: "required",
      place: "device",
      temperature: 0,
      max_tokens: 60,
    };
    const whole = await scripts.chat(page, request);
    const [{ message, finish_reason: reason }] = whole.choices;
    assert.equal(reason, "tool_calls");
    assert.equal(message.content, null);
    const [call] = message.tool_calls;
    assert.equal(call.function.name, "weather");
    assert.ok(["Berlin", "Bonn"].includes(JSON.parse(call.function.arguments).city));
    const streamed = await page.evaluate(async (wanted) => {
      const call = { arguments: "" };
      let text = "";
      for await (const { choices } of globalThis.portico.chat.completions.create({ ...wanted, stream: true })) {
        text += choices[0].delta.content ?? "";
        for (const { id, function: part } of choices[0].delta.tool_calls ?? []) {
          call.id ??= id;
          call.name ??= part.name;
          call.arguments += part.arguments ?? "";
        }
        call.reason = choices[0].finish_reason;
      }
      return { ...call, text };
    }, request);
    assert.deepEqual([streamed.name, streamed.arguments, streamed.text, streamed.reason], ["weather", call.function.arguments, "", "tool_calls"]);
    // The tool's answer goes back into the conversation.
    const answered = [...request.messages, message, { role: "tool", tool_call_id: call.id, content: "Rain" }];
    const last = await scripts.chat(page, { ...request, messages: answered, tool_choice: "none", max_tokens: 2 });
    assert.equal(last.choices[0].message.tool_calls, undefined);
  });
});
