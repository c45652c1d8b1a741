// A real server on a port of its own.

import { spawn } from "node:child_process";
import * as settings from "./settings.mjs";

const PATIENCE_MS = 60_000;

/**
 * Starts `portico serve` on a free port (or on `port`, to come back as the same origin); `env` holds more
 * of its configuration.
 * @returns {Promise<{origin: string, port: number, stop: () => Promise<void>}>}
 */
export async function startServer({ data = settings.data(), port = 0, env = {} } = {}) {
  const args = ["serve", "--addr", `127.0.0.1:${port}`, "--data", data, "--page", settings.page()];
  const child = spawn(settings.portico(), ["--lang", "en", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  let log = "";
  child.stderr.on("data", (bytes) => (log += bytes));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const origin = await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`the server says nothing\n${log}`)), PATIENCE_MS);
    let said = "";
    child.stdout.on("data", (bytes) => {
      said += bytes;
      const address = /http:\/\/[^\s/]+/.exec(said);
      if (address) {
        clearTimeout(late);
        resolve(address[0]);
      }
    });
    ended.then((code) => reject(new Error(`the server ended with ${code}\n${log}`)));
  });
  await untilHealthy(origin);
  const stop = async () => {
    child.kill("SIGINT");
    const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await ended;
    clearTimeout(late);
  };
  return { origin, port: Number(new URL(origin).port), stop };
}

async function untilHealthy(origin) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await fetch(`${origin}/healthz`).catch(() => undefined);
    if (answer?.ok) return;
    if (Date.now() > end) throw new Error(`${origin}/healthz does not answer`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
