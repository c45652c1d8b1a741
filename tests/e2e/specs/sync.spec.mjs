// One account on two devices: a chat started on one streams on the other, is stopped from there, and is
// read on both without the server; what stays on a device is never sent.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import * as account from "../lib/account.mjs";
import { open, withBrowser } from "../lib/browser.mjs";
import { freshData } from "../lib/files.mjs";
import { look } from "../lib/look.mjs";
import * as person from "../lib/person.mjs";
import { startProxy } from "../lib/proxy.mjs";
import { startServer } from "../lib/server.mjs";

const LONG = "Write a long story about a lighthouse keeper and the sea.";
/** Said in a chat that is synced, and in one that stays on the device. */
const OPEN = "Zwetschgenrezept";
const SECRET = "Zwetschgengeheimnis";

const newest = (page) => page.locator('[data-role="assistant"]').last();
const textOf = (page) => newest(page).locator(".answer").innerText();
const titles = (page) => page.locator(".row-title").allInnerTexts();

/** Opens the conversation whose row says `title`. */
async function openRow(page, title) {
  await page.locator(".row-open").filter({ hasText: title }).click();
}

/** Files of a folder that hold a text, in any of the encodings that a database or log would use. */
async function filesWith(folder, text) {
  const args = ["-rlaF", "--exclude-dir=models", "-e", text, folder];
  const found = await promisify(execFile)("grep", args).catch((error) => error);
  return found.stdout.split("\n").filter(Boolean);
}

describe("conversations on several devices", () => {
  let data;
  let server;
  before(async () => {
    data = await freshData();
    server = await startServer({ data: data.folder });
  });
  after(async () => {
    await server?.stop();
    await data?.remove();
  });

  it("stream on the other device, are stopped from there, and are read on both offline", { timeout: 300_000 }, () =>
    withBrowser({ gpu: false }, (one) =>
      withBrowser({ gpu: false }, async (other) => {
        // What was here before is offered, not sent.
        const { page: first } = await open(one, server.origin);
        await person.nextPlaceIs(first, "server");
        await person.ask(first, "What is the capital of Germany?");
        await person.answerIs(first, "done");
        await account.signUp(first, data.folder, "anna");
        await person.conditionIs(first, "sync-offer");
        assert.deepEqual(await look(first, "sync-offer"), []);
        const { page: second } = await open(other, server.origin);
        await account.signIn(second, "anna");
        await account.syncIs(second, "synced");
        assert.deepEqual(await titles(second), []);
        await first.getByRole("button", { name: "Sync them" }).click();
        await account.syncIs(first, "synced");
        await second.locator(".row-title").first().waitFor();
        await openRow(second, "What is the capital");
        await person.answerIs(second, "done");
        assert.equal(await textOf(second), await textOf(first));

        // A chat begun on one streams on the other, and is stopped from there.
        await first.getByRole("button", { name: "New conversation" }).click();
        await person.ask(first, LONG);
        await person.answerIs(first, "streaming");
        await second.locator(".row-title").filter({ hasText: "Write a long story" }).waitFor();
        await openRow(second, "Write a long story");
        await person.answerIs(second, "streaming");
        const before = (await textOf(second)).length;
        await second.waitForFunction(
          (n) => document.querySelector('[data-role="assistant"]:last-of-type .answer')?.innerText.length > n,
          before,
        );
        await person.stop(second);
        await person.answerIs(first, "stopped");
        await person.answerIs(second, "stopped");
        assert.equal(await textOf(second), await textOf(first));

        // Without the server both have it, and what is written meanwhile is said to be here only.
        await account.syncIs(first, "synced");
        const port = server.port;
        await server.stop();
        await second.reload();
        await openRow(second, "Write a long story");
        await person.answerIs(second, "stopped");
        assert.equal(await textOf(second), await textOf(first));
        await second.getByRole("button", { name: /^Rename/ }).first().click();
        await second.getByRole("textbox", { name: "Title" }).fill("Der Leuchtturm");
        await second.keyboard.press("Enter");
        await account.syncIs(second, "offline");
        await second.locator('[data-sync="only-here"]').first().waitFor();
        server = await startServer({ data: data.folder, port });
        await account.syncIs(second, "synced", 120_000);
        await first.locator(".row-title").filter({ hasText: "Der Leuchtturm" }).waitFor({ timeout: 120_000 });
        assert.deepEqual(await look(second, "synced"), []);
      }),
    ));

  it("are told of changes again after a proxy answered in the server's place", { timeout: 180_000 }, async () => {
    let isAway = false;
    const proxy = await startProxy(server.origin, ({ url }) => (isAway && url.startsWith("/api/") ? { status: 502 } : undefined));
    const calls = () => proxy.requests.get("/api/sync/events") ?? 0;
    try {
      await withBrowser({ gpu: false }, (one) =>
        withBrowser({ gpu: false }, async (other) => {
          const { page: behind } = await open(one, proxy.origin);
          await account.signIn(behind, "anna");
          await account.syncIs(behind, "synced");
          isAway = true;
          const [port, before] = [server.port, calls()];
          await server.stop();
          // The browser was told 502, and has given the stream up.
          for (let n = 0; n < 100 && calls() === before; n++) await behind.waitForTimeout(200);
          assert.ok(calls() > before);
          server = await startServer({ data: data.folder, port });
          isAway = false;
          await account.syncIs(behind, "synced", 90_000);
          const { page: writes } = await open(other, server.origin);
          await account.signIn(writes, "anna");
          await person.nextPlaceIs(writes, "server");
          await behind.waitForTimeout(8_000);
          await person.ask(writes, "Say Holunder.");
          // Sooner than the page asks by itself, which is every minute.
          await behind.locator(".row-title").filter({ hasText: "Say Holunder" }).waitFor({ timeout: 20_000 });
        }),
      );
    } finally {
      await proxy.close();
    }
  });

  it("stay where the person said so: nothing of them in a request, the log or a file", { timeout: 600_000 }, () =>
    withBrowser({}, async (context) => {
      // What is sent can be read here only where it is not compressed.
      await context.addInitScript(() => delete globalThis.CompressionStream);
      const { page } = await open(context, server.origin);
      const sent = [];
      context.on("request", (request) => sent.push(`${request.url()} ${request.postData() ?? ""}`));
      await account.signIn(page, "anna");
      await account.syncIs(page, "synced");
      await person.loadOffered(page);
      await person.isReady(page);
      const asks = async (text, place) => {
        await page.getByRole("button", { name: "New conversation" }).click();
        await person.choosesPlace(page, place);
        await person.answersShortly(page);
        await person.ask(page, text);
        await person.answerIs(page, "done");
        await account.syncIs(page, "synced");
      };
      await asks(`Say ${OPEN}.`, "server");
      await asks(`Say ${SECRET}.`, "device");
      await page.locator(".row-item").filter({ hasText: SECRET }).locator('[data-sync="only-here"]').waitFor();
      await page.reload();
      await account.syncIs(page, "synced");
      const pulled = await page.evaluate(() => fetch("/api/sync/pull").then((answer) => answer.text()));
      const where = async (text) => [
        sent.some((request) => request.includes(text)),
        pulled.includes(text),
        (await filesWith(data.folder, text)).length > 0,
      ];
      assert.deepEqual((await where(OPEN)).slice(0, 2), [true, true], "what is synced would be found");
      assert.deepEqual(await where(SECRET), [false, false, false]);
    }));
});
