// axe-core in the page. It is evaluated through the debugger, so that the page's own
// Content-Security-Policy stays as it is.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const source = readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Violations of WCAG 2.2 A and AA and of axe's best practices, one line each. */
export async function violations(page) {
  await page.evaluate(await source);
  const found = await page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
    return violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map((node) => `${node.html}: ${node.any.concat(node.all).map((check) => check.message).join("; ")}`) }));
  });
  return found.map(({ id, help, nodes }) => `${id}: ${help}\n    ${nodes.join("\n    ")}`);
}
