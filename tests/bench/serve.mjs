// How long does `cargo xtask serve` take in a clean clone with nothing built, and the second time?
//
// The clone gets a cache folder of its own, so that nothing of an earlier build is found; cargo's
// registry and what the system has installed stay.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { record, table } from "./report.mjs";

const FIRST_BAR_S = 20 * 60;
const SECOND_BAR_S = 10;
const PORT = 18080 + (process.pid % 1000);

const folder = mkdtempSync(join(tmpdir(), "portico-serve-"));
const clone = join(folder, "clone");
execFileSync("git", ["clone", "--quiet", process.cwd(), clone]);
const env = { ...process.env, XDG_CACHE_HOME: join(folder, "cache") };
for (const name of ["CARGO_TARGET_DIR", "PORTICO_MODELS_CACHE"]) delete env[name];

try {
  const first = await timed();
  const second = await timed();
  table([
    { start: "first", "s to healthy": first.seconds, bar: FIRST_BAR_S },
    { start: "second", "s to healthy": second.seconds, bar: SECOND_BAR_S },
  ]);
  for (const line of first.steps) console.log(`  ${line}`);
  await record({ first, second });
  if (first.seconds > FIRST_BAR_S || second.seconds > SECOND_BAR_S) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Starts the server, waits for its health, stops it. */
async function timed() {
  const start = Date.now();
  const child = spawn("cargo", ["xtask", "serve", "--addr", `127.0.0.1:${PORT}`], { cwd: clone, env, stdio: ["ignore", "inherit", "pipe"] });
  const steps = [];
  let rest = "";
  child.stderr.on("data", (bytes) => {
    process.stderr.write(bytes);
    const lines = (rest + bytes).split("\n");
    rest = lines.pop();
    steps.push(...lines.filter((line) => /^ {2}.*\d (s|min)/.test(line)).map((line) => line.trim()));
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  let over = false;
  ended.then(() => (over = true));
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${PORT}/healthz`).catch(() => undefined);
    if (answer?.ok) break;
    if (over) throw new Error("cargo xtask serve ended before it was healthy");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const seconds = (Date.now() - start) / 1000;
  child.kill("SIGINT");
  await ended;
  return { seconds, steps };
}
