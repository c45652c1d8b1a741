// Server killed, upstream killed, client gone in mid-stream, over and over: does every client get an
// end or an error, is nothing left running, is what was used counted?
//
// `--rounds N`. With a model here (`PORTICO_MODELS_DIR`) a part of the streams is computed in the
// server itself, so that a leaked sequence would show.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createKey, listKeys, metrics, startPortico } from "./portico.mjs";
import { option, record, table } from "./report.mjs";

const ROUNDS = Number(option("rounds") ?? 1000);
const STREAMS = 4;
const EVENTS = 12;
const EVERY_MS = 4;
const PATIENCE_MS = 10_000;
/** Every so many rounds the server itself is killed: its start costs more than a round. */
const SERVER_EVERY = 25;
/** What was used longer ago than that is written, whatever happens to the server. */
const WRITTEN_MS = 500;

const HERE = "smollm2-135m-instruct";
let seed = 1;
const random = (n) => {
  seed = (seed * 1103515245 + 12345) % 2147483648;
  return Math.floor((seed / 2147483648) * n);
};

const folder = mkdtempSync(join(tmpdir(), "portico-chaos-"));
const fleet = [startUpstream(), startUpstream()];
await Promise.all(fleet.map((upstream) => upstream.listening));
writeFileSync(
  join(folder, "portico.toml"),
  fleet.map((upstream, i) => `[[upstreams]]\nid = "u${i}"\nurl = "http://127.0.0.1:${upstream.port()}/v1"\nhealth_every_s = 0.2\nidle_s = 2\n`).join("") +
    '[[models]]\nid = "m"\nendpoints = [{ upstream = "u0" }, { upstream = "u1" }]\n',
);

let portico = await startPortico(folder);
const key = createKey(folder);
const counts = { complete: 0, failed: 0, gone: 0, broken: 0 };
/** Complete ones of rounds in which the server lived. */
let certain = 0;
const faults = [];
try {
  for (let round = 0; round < ROUNDS; round += 1) await play(round);
  await settled("the end");
  // What is left to write is written at the stop.
  await portico.stop();
  const used = listKeys(folder)[0];
  if (used.requests_today < certain) faults.push(`${used.requests_today} requests are counted, ${certain} were answered`);
  if (used.tokens_today < certain * EVENTS) faults.push(`only ${used.tokens_today} tokens are counted`);
  table([{ rounds: ROUNDS, ...counts, "requests counted": used.requests_today, "tokens counted": used.tokens_today, faults: faults.length }]);
  await record({ rounds: ROUNDS, counts, used, faults });
} finally {
  await portico.stop("SIGKILL");
  fleet.forEach((upstream) => upstream.stop());
  rmSync(folder, { recursive: true, force: true });
}
for (const fault of faults) console.error(`✗ ${fault}`);
process.exit(faults.length ? 1 : 0);

/** A round: some streams, and one thing that goes wrong in the middle of them. */
async function play(round) {
  const kind = round % SERVER_EVERY === SERVER_EVERY - 1 ? "server" : ["upstream", "client", "both", "none"][random(4)];
  if (kind === "server") await sleep(WRITTEN_MS);
  const goes = kind === "client" || kind === "both";
  const streams = Array.from({ length: STREAMS }, (_, i) => {
    const model = process.env.PORTICO_MODELS_DIR && i === 0 ? HERE : "m";
    return read(model, goes && i % 2 === 1 ? 1 + random(EVENTS - 2) : undefined);
  });
  await sleep(random(EVENTS * EVERY_MS));
  if (kind === "upstream" || kind === "both") fleet[random(2)].hurt();
  if (kind === "server") {
    await portico.stop("SIGKILL");
    portico = await startPortico(folder, portico.port);
  }
  const ends = await Promise.all(streams.map((stream) => within(stream, PATIENCE_MS)));
  for (const end of ends) {
    if (end === "late") faults.push(`round ${round} (${kind}): a client waits for ever`);
    else counts[end] += 1;
    if (end === "complete" && kind !== "server") certain += 1;
    if (end === "broken" && kind !== "server") faults.push(`round ${round} (${kind}): a stream broke off without a word`);
  }
  fleet.forEach((upstream) => upstream.heal());
  if (round % 10 === 9) await settled(`round ${round}`);
}

/** Nothing runs any more: no stream, no sequence, no request on its way to an upstream. */
async function settled(when) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const now = await metrics(portico.origin);
    const running = [...now].filter(([name, value]) => /^portico_(open_streams|running|queue_depth|upstream_running)/.test(name) && value !== 0);
    if (running.length === 0) return;
    if (Date.now() > end) {
      faults.push(`${when}: still ${running.map(([name, value]) => `${name} ${value}`).join(", ")}`);
      return;
    }
    await sleep(20);
  }
}

/**
 * Reads a stream: `complete` with its mark, `failed` with an error of ours, `broken` when the
 * connection was cut, `gone` when this client left after `leaveAfter` events.
 */
function read(model, leaveAfter) {
  const body = JSON.stringify({ model, stream: true, max_completion_tokens: EVENTS, messages: [{ role: "user", content: "Count." }] });
  const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
  return new Promise((resolve) => {
    const request = http.request(`${portico.origin}/v1/chat/completions`, { method: "POST", headers, agent: false }, (answer) => {
      let text = "";
      let n = 0;
      answer.on("data", (bytes) => {
        text += bytes;
        n += 1;
        if (leaveAfter !== undefined && n >= leaveAfter) {
          resolve("gone");
          request.destroy();
        }
      });
      answer.on("error", () => resolve("broken"));
      answer.on("end", () => {
        if (text.includes("data: [DONE]")) resolve("complete");
        else resolve(text.includes('"error"') ? "failed" : "broken");
      });
    });
    request.on("error", () => resolve("broken"));
    request.end(body);
  });
}

/** An upstream whose connections can be cut in the middle of an answer. */
function startUpstream() {
  const open = new Set();
  let hurt = false;
  const server = http.createServer((request, answer) => {
    if (hurt) return request.socket.destroy();
    if (request.method === "GET") return answer.end('{"data":[]}');
    request.resume();
    request.on("end", () => {
      open.add(answer);
      answer.on("close", () => open.delete(answer));
      answer.writeHead(200, { "content-type": "text/event-stream" });
      let n = 0;
      const say = () => {
        if (answer.destroyed) return;
        const choice = { index: 0, delta: { content: `${n} ` }, finish_reason: null };
        answer.write(`data: ${JSON.stringify({ id: "u", object: "chat.completion.chunk", created: 1, model: "u", choices: [choice] })}\n\n`);
        n += 1;
        if (n < EVENTS) return setTimeout(say, EVERY_MS);
        const usage = { prompt_tokens: 3, completion_tokens: EVENTS, total_tokens: EVENTS + 3 };
        answer.write(`data: ${JSON.stringify({ id: "u", choices: [], usage })}\n\n`);
        answer.end("data: [DONE]\n\n");
      };
      say();
    });
  });
  const listening = new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    listening,
    port: () => server.address().port,
    hurt: () => {
      hurt = true;
      for (const answer of open) answer.destroy();
    },
    heal: () => (hurt = false),
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function within(promise, ms) {
  return Promise.race([promise, sleep(ms).then(() => "late")]);
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
