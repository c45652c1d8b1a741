// What do offered tools cost a small model's answers, and does it call them where they help?
//
// Twelve questions at temperature 0, without and with the three tools of the device: eight that need none
// and four that do. Each is a conversation's first turn, on the server.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createKey, startPortico } from "./portico.mjs";
import { median, record, table } from "./report.mjs";

const MODELS = ["smollm2-135m-instruct", "qwen2.5-coder-0.5b-instruct"];

const NO_TOOL = [
  ["What is the capital of France?", /paris/i],
  ["Name a primary colour.", /red|blue|yellow|green/i],
  ["What is the opposite of hot?", /cold/i],
  ["Which language is spoken in Brazil?", /portuguese/i],
  ["How many legs does a spider have?", /eight|8/i],
  ["What do bees make?", /honey/i],
  ["What is the largest ocean?", /pacific/i],
  ["Who wrote Romeo and Juliet?", /shakespeare/i],
];
const TOOL = [
  ["What is 4817 * 293?", "calculator", /1[ ,.]?411[ ,.]?381/],
  ["What is 17.5% of 8,432?", "calculator", /1[ ,.]?475[.,]6/],
  ["Convert 26.2 miles to km.", "convert_units", /42[.,]1/],
  ["Which weekday was 1969-07-20?", "date", /sunday/i],
];

const source = readFileSync(join(import.meta.dirname, "../../web/page/src/tools/offer.rs"), "utf8");
const functions = JSON.parse(source.match(/OF_DEVICE: &str = r#"([\s\S]*?)"#/)[1]);
const tools = functions.map((definition) => ({ type: "function", function: definition }));

const folder = mkdtempSync(join(tmpdir(), "portico-tools-"));
const portico = await startPortico(folder);
const key = createKey(folder);
const rows = [];
const answers = [];
try {
  for (const model of MODELS) {
    // The first answer of a model loads it.
    await ask(model, "Hello!", undefined);
    for (const offered of [undefined, tools]) {
      const said = [];
      for (const [question] of [...NO_TOOL, ...TOOL]) said.push(await ask(model, question, offered));
      answers.push(...said.map((answer) => ({ model, tools: Boolean(offered), ...answer })));
      const plain = said.slice(0, NO_TOOL.length);
      const needy = said.slice(NO_TOOL.length);
      const tokens = said.map((answer) => answer.promptTokens);
      rows.push({
        model,
        tools: offered ? "three" : "none",
        "prompt tokens": `${Math.min(...tokens)}-${Math.max(...tokens)}`,
        // Of the first one the whole prompt is read; what the others share with it is kept.
        "first token, ms: first, median": [said[0].firstMs, median(said.map((answer) => answer.firstMs))].map(Math.round).join(", "),
        "8 that need none: right": count(plain, (answer, i) => NO_TOOL[i][1].test(answer.text)),
        "call for nothing": count(plain, (answer) => answer.calls.length > 0),
        "JSON shown": count(said, (answer) => /\{\s*"name"/.test(answer.text)),
        "4 that need one: right in words": count(needy, (answer, i) => TOOL[i][2].test(answer.text)),
        "call the right one": count(needy, (answer, i) => answer.calls[0]?.name === TOOL[i][1]),
      });
    }
  }
  table(rows);
  await record({ rows, answers });
} finally {
  await portico.stop();
  rmSync(folder, { recursive: true, force: true });
}

function count(answers, is) {
  return answers.filter(is).length;
}

async function ask(model, question, offered) {
  const start = performance.now();
  const response = await fetch(`${portico.origin}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify({
      model,
      messages: [{ role: "user", content: question }],
      temperature: 0,
      max_tokens: 120,
      stream: true,
      stream_options: { include_usage: true },
      ...(offered ? { tools: offered } : {}),
    }),
  });
  if (!response.ok) throw new Error(`${model}: ${response.status} ${await response.text()}`);
  const answer = { question, text: "", calls: [], firstMs: undefined, promptTokens: undefined };
  let rest = "";
  for await (const bytes of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + bytes).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (!line.startsWith("data: {")) continue;
      const event = JSON.parse(line.slice("data: ".length));
      if (event.error) throw new Error(JSON.stringify(event.error));
      if (event.usage) answer.promptTokens = event.usage.prompt_tokens;
      const delta = event.choices?.[0]?.delta ?? {};
      if (delta.content || delta.tool_calls) answer.firstMs ??= performance.now() - start;
      answer.text += delta.content ?? "";
      for (const call of delta.tool_calls ?? []) {
        const known = (answer.calls[call.index] ??= { name: "", arguments: "" });
        known.name += call.function?.name ?? "";
        known.arguments += call.function?.arguments ?? "";
      }
    }
  }
  return answer;
}
