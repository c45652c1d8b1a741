// Conversations in order: formulas, colours and tables of an answer; folder, tags and archive; versions side
// by side; the keyboard's list; what is printed; export and import without loss.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { open, withBrowser } from "../lib/browser.mjs";
import * as log from "../lib/log.mjs";
import { look } from "../lib/look.mjs";
import * as scripts from "../lib/scripts.mjs";
import { startServer } from "../lib/server.mjs";
import { zipOf } from "../lib/zip.mjs";

const ANSWER = [
  "The root is $x = \\frac{-b \\pm \\sqrt{b^2-4ac}}{2a}$ and costs $5 and $10:",
  "$$\\int_0^\\infty e^{-x^2}\\,dx = \\frac{\\sqrt{\\pi}}{2}$$",
  "A bad one: $\\frac{1}$.",
  "```rust\n// counts\nfn bolts(n: u32) -> u32 {\n    n * 3 + 1\n}\n```",
  `| ${"a long head | ".repeat(14)}\n| ${"--- | ".repeat(14)}\n| ${"cell | ".repeat(14)}`,
  "- [x] done\n- [ ] open",
  "With a note[^1].\n\n[^1]: The note.",
].join("\n\n");

const CHATGPT = new URL("../../../web/exchange/samples/chatgpt.json", import.meta.url);
/** Every kind of content that real exports have. */
const KINDS = new URL("../../../web/exchange/samples/chatgpt_kinds.json", import.meta.url);

const sidebar = (page) => page.getByRole("complementary", { name: "Conversations" });
const row = (page, title) => sidebar(page).locator(".row-item", { hasText: title });

/** A second answer beside the first one. */
function withVersion(records) {
  const ops = records.map((record) => JSON.parse(record.split("\n")[0]));
  const question = ops.find((op) => op.role === "user");
  const ms = ops.at(-1).at.ms + 1;
  const second = {
    v: 1, id: log.uuid7(ms), at: { ms, n: 0 }, kind: "add_message", conversation: question.conversation,
    message: log.uuid7(ms, 1), parent: question.message, role: "assistant", content: { text: "The other answer.", state: "done" },
  };
  return [...records, `${JSON.stringify(second)}\n${question.conversation}`];
}

describe("conversations", () => {
  let server;
  before(async () => (server = await startServer()));
  after(() => server.stop());

  it("show formulas, colours and tables, and are put in order", { timeout: 300_000 }, () =>
    withBrowser({ gpu: false }, async (context) => {
      const wrong = [];
      const { page, complaints } = await open(context, server.origin);
      await scripts.ready(page);
      await log.append(page, log.conversation("Roots", ["What is the root?", ANSWER]));
      await log.append(page, withVersion(log.conversation("Bridges", ["How many?", "The first answer."])));
      await page.reload();
      await row(page, "Roots").locator(".row-open").click({ position: { x: 12, y: 12 } });

      await page.locator(".answer math").first().waitFor();
      assert.equal(await page.locator(".answer math").count(), 2);
      assert.equal(await page.locator(".answer math mfrac").count(), 2);
      const answer = page.locator(".answer").first();
      assert.match(await answer.textContent(), /costs \$5 and \$10:/);
      assert.match(await answer.locator('[data-maths="line"]').nth(1).textContent(), /\\frac\{1\}/);
      await answer.locator(".code-keyword", { hasText: "fn" }).waitFor();
      const table = page.getByRole("region", { name: "Table" });
      assert.ok(await table.evaluate((node) => node.scrollWidth > node.clientWidth && node.tabIndex === 0));
      wrong.push(...(await look(page, "formulas")));

      // Folder, tags, archive: by the keyboard alone.
      const organise = row(page, "Roots").getByRole("button", { name: "Folder, tags and archive" });
      await organise.focus();
      await page.keyboard.press("Enter");
      const dialog = page.getByRole("dialog", { name: "Folder, tags and archive" });
      await dialog.getByLabel(/^Folder/).fill("School");
      await dialog.getByLabel(/^Tags/).fill("maths, homework");
      await page.keyboard.press("Tab");
      wrong.push(...(await look(page, "organise")));
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "detached" });
      const which = page.getByLabel("Which conversations are shown");
      await which.selectOption({ label: "Folder: School" });
      await row(page, "Bridges").waitFor({ state: "detached" });
      await row(page, "Roots").waitFor();
      await which.selectOption({ label: "#homework" });
      await row(page, "Roots").waitFor();
      await which.selectOption({ label: "All conversations" });
      await row(page, "Roots").getByRole("button", { name: "Folder, tags and archive" }).focus();
      await page.keyboard.press("Enter");
      await page.getByRole("checkbox", { name: /^In the archive/ }).check();
      await page.keyboard.press("Escape");
      await row(page, "Roots").waitFor({ state: "detached" });
      await page.reload();
      await row(page, "Bridges").waitFor();
      assert.equal(await row(page, "Roots").count(), 0);
      await page.getByRole("searchbox", { name: "Search conversations" }).fill("root?");
      await row(page, "Roots").waitFor();
      await page.getByRole("searchbox", { name: "Search conversations" }).fill("");

      // Versions side by side, one is kept.
      await row(page, "Bridges").locator(".row-open").click({ position: { x: 12, y: 12 } });
      await page.getByText("The other answer.").waitFor();
      await page.getByRole("button", { name: "Compare versions" }).click();
      const versions = page.getByRole("dialog", { name: "Compare versions" });
      await versions.getByText("The first answer.").waitFor();
      wrong.push(...(await look(page, "versions")));
      const columns = await versions.locator(".version").evaluateAll((all) => all.map((one) => one.getBoundingClientRect().top));
      assert.equal(columns[0], columns[1], "beside one another on a desk");
      await versions.getByRole("button", { name: "Go on with this one" }).first().click();
      await page.locator("main .answer", { hasText: "The first answer." }).waitFor();

      // The keyboard's list.
      await page.locator(".messages").focus();
      await page.keyboard.press("?");
      await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
      wrong.push(...(await look(page, "keys")));
      await page.keyboard.press("Escape");
      await page.getByRole("dialog", { name: "Keyboard" }).waitFor({ state: "detached" });
      await page.keyboard.press("/");
      await page.waitForFunction(() => document.activeElement.type === "search");

      assert.deepEqual(wrong, []);
      assert.deepEqual(complaints, { errors: [], csp: [], foreign: [] });
    }),
  );

  it("are printed whole, exported and imported without loss, and once", { timeout: 300_000 }, () =>
    withBrowser({ gpu: false }, async (context) => {
      const wrong = [];
      const { page, complaints } = await open(context, server.origin);
      await scripts.ready(page);
      const texts = Array.from({ length: 300 }, (_, i) => `Text ${i} of the long one.`);
      await log.append(page, withVersion(log.conversation("Long", texts)));
      await page.reload();
      await row(page, "Long").locator(".row-open").click({ position: { x: 12, y: 12 } });
      await page.locator("[data-role]").first().waitFor();
      await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
      await page.waitForFunction(() => document.querySelectorAll("[data-role]").length > 0);
      const long = await page.locator("[data-role]").count();
      await page.evaluate(() => dispatchEvent(new Event("afterprint")));

      // Out, all gone, and in again.
      await page.getByRole("button", { name: "Settings" }).click();
      const saving = page.waitForEvent("download");
      await page.getByRole("button", { name: "As JSON" }).click();
      const ours = await (await saving).path();
      const exported = JSON.parse(await readFile(ours, "utf8"));
      assert.equal(exported.conversations[0].operations.length, 2 + 300 + 1);
      assert.ok(long >= 1);

      const { page: other, complaints: others } = await open(await freshProfile(context), server.origin);
      await scripts.ready(other);
      await importFile(other, ours);
      await said(other, "1 conversations imported, 0 were here already, 0 refused.");
      await importFile(other, ours);
      await said(other, "0 conversations imported, 1 were here already, 0 refused.");
      await importFile(other, CHATGPT.pathname);
      await said(other, "1 conversations imported, 0 were here already, 2 refused.");
      await other.getByText("Refused or left out").click();
      await other.getByText("without messages").waitFor();
      wrong.push(...(await look(other, "import")));
      await other.keyboard.press("Escape");
      await other.reload();
      await row(other, "Long").locator(".row-open").click({ position: { x: 12, y: 12 } });
      await other.getByText("The other answer.").waitFor();

      // An archive as ChatGPT makes it: thoughts and searches are steps, sources links, files named.
      await other.getByRole("button", { name: "Settings" }).click();
      const archive = zipOf({ "chat.html": "<p>", "conversations-000.json": await readFile(KINDS, "utf8") });
      await other
        .locator("[data-import]")
        .setInputFiles({ name: "export.zip", mimeType: "application/zip", buffer: archive });
      await said(other, "4 conversations imported, 0 were here already, 2 refused.");
      await other.keyboard.press("Escape");
      await row(other, "Trams").locator(".row-open").click({ position: { x: 12, y: 12 } });
      await other.getByRole("link", { name: "k:14 City" }).waitFor();
      const thought = other.locator('[data-tool="reasoning"]').first();
      await thought.getByText("What the model thought").click();
      await thought.getByText("k:03 first").waitFor();
      wrong.push(...(await look(other, "import-steps")));
      // A picture that was asked about, and one that was drawn.
      await row(other, "Signals").locator(".row-open").click({ position: { x: 12, y: 12 } });
      for (const name of ["n:06", "n:07"]) await other.getByText(name, { exact: true }).waitFor();

      // Ten thousand, with a way to stop.
      await other.getByRole("button", { name: "Settings" }).click();
      const many = JSON.parse(await readFile(CHATGPT, "utf8"))[0];
      const all = Array.from({ length: 10_000 }, (_, i) => ({ ...many, conversation_id: `many-${i}`, title: `Many ${i}` }));
      const file = { name: "conversations.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(all)) };
      await other.locator("[data-import]").setInputFiles(file);
      await other.getByText(/ of 10,000 conversations read/).waitFor();
      await other.getByRole("button", { name: "Cancel" }).click();
      await other.locator('[data-import-state="over"]').waitFor();
      assert.deepEqual(wrong, []);
      assert.deepEqual([complaints, others], Array(2).fill({ errors: [], csp: [], foreign: [] }));
    }),
  );
});

/** Another person's browser beside the first one. */
async function freshProfile(context) {
  const fresh = await context.browser()?.newContext({ locale: "en-GB", acceptDownloads: true });
  if (fresh) return fresh;
  // A persistent profile has no browser to ask: the same one, emptied.
  const page = context.pages()[0];
  await page.evaluate(
    () =>
      new Promise((done, failed) => {
        const opening = indexedDB.open("portico");
        opening.onsuccess = () => {
          const clearing = opening.result.transaction(["ops", "heads", "held"], "readwrite");
          ["ops", "heads", "held"].forEach((name) => clearing.objectStore(name).clear());
          clearing.oncomplete = () => done(opening.result.close());
          clearing.onerror = () => failed(clearing.error);
        };
      }),
  );
  await Promise.all(context.pages().map((other) => other.goto("about:blank")));
  return context;
}

async function importFile(page, path) {
  if (!(await page.locator("[data-import]").count())) await page.getByRole("button", { name: "Settings" }).click();
  await page.locator("[data-import]").setInputFiles(path);
}

const said = (page, text) => page.getByText(text).waitFor();
