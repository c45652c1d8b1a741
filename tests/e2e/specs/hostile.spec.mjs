// Texts that want to run or to send something, wherever the page shows them: in messages of both sides, in
// titles, folders and tags, in files' names and what they say, in the results of tools. Nothing runs and no
// request leaves.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { open, withBrowser } from "../lib/browser.mjs";
import * as log from "../lib/log.mjs";
import * as scripts from "../lib/scripts.mjs";
import { startServer } from "../lib/server.mjs";
import { EXFILTRATION, SCRIPTS } from "./data/hostile.mjs";

const ALL = [...SCRIPTS, ...EXFILTRATION];

/** One conversation whose every word is hostile. */
function conversation(text, n) {
  const startMs = Date.now() - 3_600_000 + n * 100;
  const id = log.uuid7(startMs);
  const [question, answer] = [log.uuid7(startMs, 1), log.uuid7(startMs, 2)];
  const bodies = [
    { kind: "create_conversation", conversation: id },
    { kind: "set", conversation: id, setting: { name: "title", value: text.slice(0, 300) } },
    { kind: "set", conversation: id, setting: { name: "folder", value: text.slice(0, 100) } },
    { kind: "tag", conversation: id, tag: text.slice(0, 50), on: true },
    {
      kind: "add_message", conversation: id, message: question, parent: null, role: "user",
      content: { text, state: "done", attachments: [{ name: text.slice(0, 200), media_type: "text/html", size_bytes: 9, text }] },
    },
    {
      kind: "add_message", conversation: id, message: answer, parent: question, role: "assistant",
      content: {
        text: `${text}\n\nAnd the end.`, state: "done",
        portico: { model: text.slice(0, 100), place: "server" },
      },
    },
    {
      kind: "write_step", message: answer, n: 0,
      step: { id: "call", round: 0, name: "calculator", arguments: JSON.stringify({ expression: text }), at: 0, state: "done", result: text },
    },
  ];
  return bodies.map((body, i) => `${JSON.stringify({ v: 1, id: log.uuid7(startMs + i, 3), at: { ms: startMs + i, n: 0 }, ...body })}\n${id}`);
}

describe("hostile texts", () => {
  let server;
  before(async () => (server = await startServer()));
  after(() => server.stop());

  it("neither run nor send anything, wherever they stand", { timeout: 240_000 }, () =>
    withBrowser({ gpu: false }, async (context) => {
      const ran = [];
      await context.exposeFunction("canaryRan", (where) => ran.push(where));
      await context.addInitScript(() => {
        globalThis.canary = () => globalThis.canaryRan(location.hash);
      });
      const { page, complaints } = await open(context, server.origin);
      page.on("dialog", (dialog) => {
        ran.push(dialog.message());
        dialog.dismiss();
      });
      await scripts.ready(page);
      await log.append(page, ALL.flatMap(conversation));
      await page.reload();
      await page.locator(".row-open").first().waitFor();

      const seen = await page.evaluate(async (total) => {
        const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        document.querySelector(".conversations > .button")?.click();
        const rows = () => [...document.querySelectorAll(".row-open")];
        let shown = 0;
        for (let i = 0; i < total; i += 1) {
          rows()[i]?.click();
          for (let turn = 0; turn < 3; turn += 1) await frame();
          document.querySelectorAll(".messages summary").forEach((summary) => summary.click());
          await frame();
          if (document.querySelector(".answer")?.textContent.includes("And the end.")) shown += 1;
        }
        return shown;
      }, ALL.length);
      assert.equal(seen, ALL.length, "each one was shown");

      const made = await page.evaluate(() => {
        const foreign = [...document.querySelectorAll(".messages *, .sidebar *")].filter((node) => {
          const isMarkup = node.matches("script, iframe, object, embed, style, link, form, base, meta, template, maction, annotation-xml");
          const acts = [...node.attributes].some(({ name, value }) => /^on/i.test(name) || /^\s*(javascript|vbscript|data):/i.test(value));
          return isMarkup || acts;
        });
        return foreign.map((node) => node.outerHTML.slice(0, 200));
      });
      assert.deepEqual(made, []);
      assert.deepEqual(ran, []);
      assert.deepEqual(complaints.foreign, []);
      assert.deepEqual(complaints.csp, []);
    }),
  );
});
