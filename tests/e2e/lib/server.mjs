// A real server on a port of its own.

import { spawn } from "node:child_process";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { freshData } from "./files.mjs";
import * as settings from "./settings.mjs";

const PATIENCE_MS = 60_000;

/**
 * Starts `portico serve` on a free port (or on `port`, to come back as the same origin); `env` holds more
 * of its configuration. One server has a data folder: who names none gets one that goes with the server.
 * @returns {Promise<{origin: string, port: number, stop: () => Promise<void>, kill: () => Promise<void>}>}
 */
export async function startServer({ data, port = 0, env = {} } = {}) {
  const own = data ? undefined : await ownData();
  const folder = data ?? own.folder;
  const args = ["serve", "--addr", `127.0.0.1:${port}`, "--data", folder, "--page", settings.page()];
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
    await own?.remove();
  };
  const kill = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  return { origin, port: Number(new URL(origin).port), stop, kill };
}

/** With the models' digests too: they are computed once. */
async function ownData() {
  const own = await freshData();
  const digests = join(settings.data(), "digests");
  await mkdir(digests, { recursive: true });
  await symlink(digests, join(own.folder, "digests"));
  return own;
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
