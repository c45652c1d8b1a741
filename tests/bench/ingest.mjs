// How fast are real documents taken in, and at what cost?
//
// `portico ingest` of a folder of a thousand real documents: documents a minute, the peak of memory of
// the program and its children together, none lost, and each failure by name.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { collect } from "./corpus.mjs";
import { option, record, table } from "./report.mjs";

const DOCUMENTS = Number(option("documents") ?? 1000);
/** Vectors cost the embedder's time, which `bench server` measures: by words alone unless asked. */
const EMBEDDER = option("embedder") ?? "none";
const PEAK_BAR_MIB = 600;
const LOOK_EVERY_MS = 20;

/** Memory of a process and all below it, in MiB: shared pages count once, for the first. */
function memoryMib(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const own = Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
    const tasks = readdirSync(`/proc/${pid}/task`);
    const children = tasks.flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean));
    return children.reduce((sum, child) => sum + memoryMib(child), own);
  } catch {
    return 0;
  }
}

const work = mkdtempSync(join(tmpdir(), "portico-ingest-"));
try {
  const documents = join(work, "documents");
  const counts = collect(process.env.PORTICO_CORPUS, documents, DOCUMENTS, process.env.PORTICO_PYTHON);
  const given = Object.values(counts).reduce((sum, n) => sum + n, 0);
  const models = process.env.PORTICO_MODELS_DIR ? ["--models-dir", process.env.PORTICO_MODELS_DIR] : [];
  const args = ["--lang", "en", "--data", join(work, "data"), ...models, "ingest", documents, "--collection", "bench", "--embedder", EMBEDDER, "--json"];
  const began = performance.now();
  const child = spawn(process.env.PORTICO_BIN, args, { env: { ...process.env, RUST_LOG: "off" }, stdio: ["ignore", "pipe", "ignore"] });
  let said = "";
  child.stdout.on("data", (bytes) => (said += bytes));
  let peakMib = 0;
  const looking = setInterval(() => (peakMib = Math.max(peakMib, memoryMib(child.pid))), LOOK_EVERY_MS);
  await new Promise((resolve) => child.once("close", resolve));
  clearInterval(looking);
  const seconds = (performance.now() - began) / 1000;
  const { new: taken, duplicates, failed } = JSON.parse(said);
  // What was not even taken into the queue is told among the failures, too.
  const refused = failed.filter(({ code }) => !/^(document|extract)_/.test(code)).length;
  const failures = {};
  for (const { code } of failed) failures[code] = (failures[code] ?? 0) + 1;
  const row = {
    documents: given,
    "a minute": (given / seconds) * 60,
    "peak MiB": peakMib,
    failed: failed.length,
    lost: Math.max(0, given - taken - duplicates - refused),
  };
  table([row]);
  table([counts]);
  if (failed.length > 0) table([failures]);
  await record({ embedder: EMBEDDER, ...row, counts, failures, failed });
  const isGood = row.lost === 0 && peakMib <= PEAK_BAR_MIB && failed.every(({ code }) => code && code !== "internal");
  if (!isGood) process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
