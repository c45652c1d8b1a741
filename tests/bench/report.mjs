// Tables on the terminal and JSON for later.

import { writeFile } from "node:fs/promises";
import os from "node:os";

/** The value of `--name` on the command line. */
export function option(name) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function machine() {
  const cpus = os.cpus();
  return { cpu: cpus[0]?.model, cores: cpus.length, memory_gib: Math.round(os.totalmem() / 2 ** 30), load: os.loadavg()[0] };
}

/** Rows of equal keys as a table. */
export function table(rows) {
  const columns = Object.keys(rows[0] ?? {});
  const text = (value) => (typeof value === "number" ? Number(value.toPrecision(4)).toString() : String(value ?? "–"));
  const widths = columns.map((column) => Math.max(column.length, ...rows.map((row) => text(row[column]).length)));
  const line = (cells) => cells.map((cell, i) => cell.padEnd(widths[i])).join("  ").trimEnd();
  console.log(line(columns));
  for (const row of rows) console.log(line(columns.map((column) => text(row[column]))));
}

/** Writes the result with machine and date to the file that `--json` names. */
export async function record(result) {
  const file = option("json");
  const report = { date: new Date().toISOString(), machine: machine(), ...result };
  if (file) await writeFile(file, `${JSON.stringify(report, undefined, 2)}\n`);
}
