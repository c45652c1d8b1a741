// The server's program on a port of its own, from `PORTICO_BIN`.

import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";

const args = (data) => ["--lang", "en", "--data", data, ...(process.env.PORTICO_MODELS_DIR ? ["--models-dir", process.env.PORTICO_MODELS_DIR] : [])];

/** Starts `portico serve` on the data folder; `port` to come back at the same address. */
export async function startPortico(data, port = 0) {
  const child = spawn(process.env.PORTICO_BIN, [...args(data), "serve", "--addr", `127.0.0.1:${port}`], {
    env: { ...process.env, RUST_LOG: "off" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const origin = await new Promise((resolve, reject) => {
    let said = "";
    child.stdout.on("data", (bytes) => {
      said += bytes;
      const address = /http:\/\/[^\s/]+/.exec(said);
      if (address) resolve(address[0]);
    });
    ended.then((code) => reject(new Error(`the server ended with ${code}`)));
  });
  const stop = async (signal = "SIGTERM") => {
    child.kill(signal);
    await ended;
  };
  const memoryMib = () => {
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
  };
  return { origin, port: Number(new URL(origin).port), stop, memoryMib };
}

/** A new API key: the last word printed. */
export function createKey(data, ...more) {
  const said = execFileSync(process.env.PORTICO_BIN, [...args(data), "keys", "create", "--name", `bench-${process.pid}`, ...more]);
  return said.toString().trim().split(/\s+/).pop();
}

/** What each key has used. */
export function listKeys(data) {
  return JSON.parse(execFileSync(process.env.PORTICO_BIN, [...args(data), "keys", "list", "--json"]).toString());
}

/** The server's metrics: name with labels → number. */
export async function metrics(origin) {
  const text = await (await fetch(`${origin}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]));
}
