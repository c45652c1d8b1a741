// What does the gateway add, and how many streams does it hold?
//
// An upstream in a process of its own streams at a steady pace; each request goes to it directly and
// through the gateway, in turns, on connections that are kept. The upstream writes the time at which
// it sends into each event, so that both ways are measured by the same clock of one machine.

import { fork } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median, record, table } from "./report.mjs";
import { createKey, startPortico } from "./portico.mjs";

const TURNS = 300;
const ADDED_BAR_MS = 2;
const STREAMS = 500;
const EVENTS = 60;
const EVERY_MS = 100;

/** Streams as the request says: `events` events, `every_ms` apart. */
function upstream() {
  const server = http.createServer((request, answer) => {
    if (request.method === "GET") return answer.end('{"data":[]}');
    let body = "";
    request.on("data", (bytes) => (body += bytes));
    request.on("end", () => {
      const { events = 3, every_ms: everyMs = 0 } = JSON.parse(body).metadata ?? {};
      answer.writeHead(200, { "content-type": "text/event-stream" });
      let n = 0;
      const say = () => {
        const choice = { index: 0, delta: { content: `${n} ` }, finish_reason: null };
        const chunk = { id: "u", object: "chat.completion.chunk", created: 1, model: "u", choices: [choice] };
        answer.write(`data: ${JSON.stringify(chunk)}\n\n`);
        n += 1;
        if (n < events) setTimeout(say, everyMs);
        else answer.end("data: [DONE]\n\n");
      };
      say();
    });
  });
  server.listen(0, "127.0.0.1", () => process.send(server.address().port));
}

async function measure() {
  const folder = mkdtempSync(join(tmpdir(), "portico-gateway-"));
  const process_ = fork(fileURLToPath(import.meta.url), ["upstream"]);
  const port = await new Promise((resolve) => process_.once("message", resolve));
  writeFileSync(
    join(folder, "portico.toml"),
    `[[upstreams]]\nid = "u"\nurl = "http://127.0.0.1:${port}/v1"\n` +
      '[[models]]\nid = "m"\nendpoints = [{ upstream = "u" }]\n',
  );
  let portico;
  try {
    portico = await startPortico(folder);
    const key = createKey(folder);
    const direct = new Client(`http://127.0.0.1:${port}/v1/chat/completions`, key);
    const through = new Client(`${portico.origin}/v1/chat/completions`, key);
    const times = { direct: [], through: [] };
    for (let turn = -30; turn < TURNS; turn += 1) {
      for (const [name, client] of Object.entries({ direct, through })) {
        const { firstMs } = await client.stream({ events: 3 });
        if (turn >= 0) times[name].push(firstMs);
      }
    }
    const addedMs = median(times.through) - median(times.direct);
    const held = await hold(through);
    const memoryMib = portico.memoryMib();
    table([
      { measure: "first byte, direct, ms", value: median(times.direct) },
      { measure: "first byte, through the gateway, ms", value: median(times.through) },
      { measure: "added, ms", value: addedMs, bar: `≤ ${ADDED_BAR_MS}` },
      { measure: "streams at once", value: held.atOnce, bar: `= ${STREAMS}` },
      { measure: "streams complete", value: held.complete, bar: `= ${STREAMS}` },
      { measure: "seconds for all", value: held.seconds, bar: `${(EVENTS * EVERY_MS) / 1000} at least` },
      { measure: "server's memory, MiB", value: memoryMib },
    ]);
    await record({ added_ms: addedMs, held, memory_mib: memoryMib, turns: TURNS });
    if (addedMs > ADDED_BAR_MS || held.complete < STREAMS || held.atOnce < STREAMS) process.exitCode = 1;
  } finally {
    process_.kill();
    await portico?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Many streams at once, each read to its end. */
async function hold(client) {
  const start = performance.now();
  let open = 0;
  let atOnce = 0;
  const one = async () => {
    const { events, done } = await client.stream({ events: EVENTS, every_ms: EVERY_MS }, () => {
      open += 1;
      atOnce = Math.max(atOnce, open);
    }).finally(() => (open -= 1));
    return done && events === EVENTS;
  };
  const all = await Promise.allSettled(Array.from({ length: STREAMS }, one));
  const complete = all.filter((one) => one.value === true).length;
  return { complete, atOnce, seconds: (performance.now() - start) / 1000 };
}

class Client {
  constructor(url, key) {
    this.url = url;
    this.agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });
    this.headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
  }

  /** Reads a stream to its end; `opened` is called at its first byte. */
  stream(metadata, opened = () => {}) {
    const body = JSON.stringify({ model: "m", stream: true, metadata, messages: [{ role: "user", content: "x" }] });
    const start = performance.now();
    return new Promise((resolve, reject) => {
      const options = { method: "POST", agent: this.agent, headers: this.headers };
      const request = http.request(this.url, options, (answer) => {
        let text = "";
        let firstMs;
        answer.on("data", (bytes) => {
          if (firstMs === undefined) {
            firstMs = performance.now() - start;
            opened();
          }
          text += bytes;
        });
        answer.on("error", reject);
        answer.on("end", () => {
          const events = text.split("\n").filter((line) => line.startsWith("data: {")).length;
          resolve({ firstMs, events, done: text.includes("data: [DONE]"), status: answer.statusCode });
        });
      });
      request.on("error", reject);
      request.end(body);
    });
  }
}

if (process.argv[2] === "upstream") upstream();
else await measure();
