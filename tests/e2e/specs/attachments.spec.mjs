// Files that go with a message: chosen, dropped or pasted, read on the device, part of what the model is
// asked and of what is kept. One that is too long becomes a document. Their bytes are kept too, and come to
// the person's other devices, unless the conversation stays on this one.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import * as account from "../lib/account.mjs";
import { open, withBrowser } from "../lib/browser.mjs";
import { freshData, realFiles, SAYS, SECOND_PAGE } from "../lib/files.mjs";
import { look } from "../lib/look.mjs";
import * as person from "../lib/person.mjs";
import { startProxy } from "../lib/proxy.mjs";
import { startServer } from "../lib/server.mjs";

const choose = (page, files) => page.locator('[data-attach="files"]').setInputFiles(files);
const inState = (page, name, state) => page.locator(`[data-attached="${state}"]`).filter({ hasText: name }).waitFor({ timeout: 30_000 });
const text = (name, body) => ({ name, mimeType: "text/plain", buffer: Buffer.from(body) });

/** A picture that browsers show, and that takes so many bytes: what stands behind its end is not looked at. */
const picture = (name, bytes) => {
  const dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
  const buffer = Buffer.from(dot, "base64");
  return { name, mimeType: "image/png", buffer: Buffer.concat([buffer, randomBytes(bytes - buffer.length)]) };
};

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** Waits until the person has a file on the server, whole. */
async function isStored(page, bytes) {
  const path = `/api/attachments/${sha256(bytes)}/file`;
  const isThere = () => page.evaluate((at) => fetch(at).then(({ ok }) => ok), path);
  const end = Date.now() + 60_000;
  while (!(await isThere())) {
    if (Date.now() > end) throw new Error(`${path} does not come`);
    await page.waitForTimeout(200);
  }
}

/** Presses what downloads a sent file, and gives its bytes. */
async function downloaded(page, name) {
  const file = page.waitForEvent("download");
  await page.getByRole("button", { name: `Download ${name}` }).click();
  return readFile(await (await file).path());
}

/** As the browser brings them: by a drop onto the conversation, or a paste into the text. */
const bring = (page, selector, type, field, name, body) =>
  page.evaluate(
    ([selector, type, field, name, body]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([body], name, { type: "text/plain" }));
      const event = new Event(type, { bubbles: true, cancelable: true });
      Object.defineProperty(event, field, { value: transfer });
      document.querySelector(selector).dispatchEvent(event);
    },
    [selector, type, field, name, body],
  );

describe("attached files", () => {
  let server, data;
  before(async () => {
    data = await freshData();
    server = await startServer({ data: data.folder });
  });
  after(async () => {
    await server?.stop();
    await data?.remove();
  });

  it("are read here, asked about, kept with the message and shown again", { timeout: 120_000 }, () =>
    withBrowser({}, async (context) => {
      const files = await realFiles(context);
      const { page } = await open(context, server.origin);
      const asked = [];
      page.on("request", (request) => {
        if (request.url().endsWith("/v1/chat/completions")) asked.push(request.postDataJSON());
      });
      await person.choosesPlace(page, "server");
      await person.nextPlaceIs(page, "server");
      await choose(page, ["satzung.txt", "bees.pdf"].map((name) => join(files.folder, name)));
      await inState(page, "satzung.txt", "ready");
      await inState(page, "bees.pdf", "ready");
      await bring(page, "#main", "drop", "dataTransfer", "note.txt", "The gate squeaks.");
      await bring(page, "#composer-input", "paste", "clipboardData", "away.txt", "Nobody reads this.");
      await inState(page, "note.txt", "ready");
      await inState(page, "away.txt", "ready");
      await page.getByRole("button", { name: /^Remove away.txt$/ }).click();
      assert.deepEqual(await look(page, "attachments"), []);
      await person.ask(page, "What is in these files?");
      await person.hasEnded(page);
      const said = asked[0].messages.at(-1).content;
      assert.match(said, /^<file name="satzung\.txt">\n/);
      assert.ok(said.includes(SAYS["satzung.txt"]) && said.includes(SECOND_PAGE) && said.includes("The gate squeaks."), said);
      assert.ok(said.endsWith("</file>\n\nWhat is in these files?") && !said.includes("Nobody reads"), said);
      assert.equal(await page.locator("[data-attached]").count(), 0);

      await page.reload();
      const sent = page.locator(".attachments.sent li");
      await sent.first().waitFor();
      assert.equal(await sent.count(), 3);
      await sent.filter({ hasText: "note.txt" }).locator("summary").click();
      await sent.getByText("The gate squeaks.").waitFor();
      assert.deepEqual(await look(page, "attachments-sent"), []);
      // The files stay with a message that is put differently.
      await page.getByRole("button", { name: "Edit message" }).click();
      await page.getByRole("textbox", { name: "Edit message" }).fill("And what not?");
      await page.getByRole("button", { name: "Save and send" }).click();
      await page.locator(".bubble").filter({ hasText: "And what not?" }).waitFor();
      assert.equal(await sent.count(), 3);
      await person.hasEnded(page);
      assert.ok(asked.at(-1).messages.at(-1).content.includes(SECOND_PAGE));
      await files.remove();
    }),
  );

  it("say what is wrong with them, and become documents where they are too long", { timeout: 120_000 }, () =>
    withBrowser({}, async (context) => {
      const { page } = await open(context, server.origin);
      await page.locator('[data-attach="files"]').waitFor({ state: "attached" });
      await choose(page, [
        text("report.txt", "The well is deep and the water is clear. ".repeat(4_000)),
        { name: "letter.docx", mimeType: "", buffer: Buffer.from("PK") },
        text("empty.txt", ""),
      ]);
      await inState(page, "report.txt", "too-long");
      await inState(page, "letter.docx", "failed");
      await page.locator('[data-error="device_type_unknown"]').waitFor();
      await page.locator('[data-error="document_empty"]').waitFor();
      assert.deepEqual(await look(page, "attachments-refused"), []);
      await page.getByRole("button", { name: "Keep as a document on this device" }).click();
      await page.locator(".docs-choice .chip").waitFor();
      await page.locator("[data-attached]").filter({ hasText: "report.txt" }).waitFor({ state: "detached" });
      await choose(page, Array.from({ length: 21 }, (_, i) => text(`f${i}.txt`, "x")));
      await page.locator('[data-error="too_many_attachments"]').first().waitFor();
    }),
  );

  it("go to a collection where the person may add to one", { timeout: 120_000 }, () =>
    withBrowser({ gpu: false }, async (context) => {
      const { page } = await open(context, server.origin);
      await account.signUp(page, data.folder, "carla");
      await page.evaluate(() =>
        fetch("/api/collections", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ title: "Wells", embedder: "none" }) }),
      );
      await page.reload();
      await page.locator(".docs-choice").waitFor();
      await choose(page, [
        text("report.txt", "The well is deep and the water is clear. ".repeat(4_000)),
        { name: "letter.docx", mimeType: "", buffer: Buffer.from("PK") },
      ]);
      await inState(page, "report.txt", "too-long");
      await inState(page, "letter.docx", "failed");
      assert.deepEqual(await look(page, "attachments-collection"), []);
      for (const name of ["report.txt", "letter.docx"]) {
        const row = page.locator("[data-attached]").filter({ hasText: name });
        await row.getByLabel("Choose a collection").selectOption({ label: "Wells" });
        await row.getByRole("button", { name: "Add to the collection" }).click();
        await row.waitFor({ state: "detached" });
      }
      await page.locator(".docs-choice .chip").filter({ hasText: "Wells" }).waitFor();
      const listed = await page.evaluate(() => fetch("/api/collections/wells/documents").then((answer) => answer.json()));
      assert.deepEqual(listed.documents.map(({ name }) => name).sort(), ["letter.docx", "report.txt"]);
    }),
  );

  it("come to the other device, also over a broken line, and say when they do not", { timeout: 180_000 }, () =>
    withBrowser({ gpu: false }, (one) =>
      withBrowser({ gpu: false }, async (other) => {
        // The line breaks at the second chunk.
        let isBroken = true;
        const proxy = await startProxy(server.origin, ({ url }) => ({ refuse: isBroken && url.endsWith("offset=1048576") }));
        const { page: first } = await open(one, proxy.origin);
        await account.signUp(first, data.folder, "anna");
        await account.syncIs(first, "synced");
        await person.nextPlaceIs(first, "server");
        const [photo, note] = [picture("photo.png", 3_300_000), text("note.txt", "The gate squeaks.")];
        await choose(first, [photo, note]);
        await inState(first, "photo.png", "ready");
        await inState(first, "note.txt", "ready");
        assert.deepEqual(await look(first, "attachments-image"), []);
        await person.ask(first, "What is in the note?");
        await person.hasEnded(first);
        const asked = proxy.sent.find(({ head }) => head.startsWith("POST /v1/chat/completions"));
        const said = Buffer.concat(asked.body).toString();
        assert.ok(said.includes("The gate squeaks.") && !said.includes("photo.png"), said);
        await first.locator(".attachment-image").waitFor();
        await first.locator('[data-way="waiting"]').first().waitFor();
        assert.deepEqual(await look(first, "attachments-waiting"), []);

        // What was sent is not sent again, though the page was closed in the middle.
        await first.reload();
        isBroken = false;
        for (const { buffer } of [photo, note]) await isStored(first, buffer);
        const puts = [...proxy.requests].filter(([url]) => url.includes(`${sha256(photo.buffer)}/bytes`));
        const times = (at) => puts.filter(([url]) => url.endsWith(`offset=${at}`)).map(([, n]) => n)[0] ?? 0;
        assert.equal(times(0), 1, JSON.stringify(puts));
        assert.ok(times(1 << 20) > 1 && times(2 << 20) === 1 && times(3 << 20) === 1, JSON.stringify(puts));

        // Neither is what came fetched again.
        let isLost = true;
        const line = await startProxy(server.origin, ({ headers }) => ({ refuse: isLost && headers.range?.startsWith("bytes=1048576-") }));
        const { page: second } = await open(other, line.origin);
        await account.signIn(second, "anna");
        await account.syncIs(second, "synced");
        // Beside what a row can do, which lies over its end.
        await second.locator(".row-open").filter({ hasText: "What is in the note" }).click({ position: { x: 20, y: 12 } });
        await second.getByRole("button", { name: "Show the image" }).click();
        await second.locator('[data-way="failed"][data-error="server_unreachable"]').waitFor();
        isLost = false;
        await second.reload();
        await second.getByRole("button", { name: "Show the image" }).click();
        const shown = second.locator(".attachment-image");
        await shown.waitFor();
        assert.equal(await shown.evaluate((image) => image.decode().then(() => image.naturalWidth)), 1);
        assert.ok((await downloaded(second, "photo.png")).equals(photo.buffer));
        assert.ok((await downloaded(second, "note.txt")).equals(note.buffer));
        const fetched = (from) => line.sent.filter(({ head }) => head.includes(`bytes=${from}-`)).length;
        assert.ok(fetched(0) === 2 && fetched(1 << 20) > 1 && fetched(2 << 20) === 1, "each file's first piece once");
        assert.deepEqual(await look(second, "attachments-other-device"), []);
        await line.close();

        // The rules give no more room: it is said before, and the text goes along.
        const rules = { guests: "device", rules: { storage_bytes: 3_400_000 } };
        const isSet = await first.evaluate(
          (body) => fetch("/api/policy", { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }).then(({ ok }) => ok),
          rules,
        );
        assert.ok(isSet);
        await first.locator(".row-open").filter({ hasText: "What is in the note" }).click({ position: { x: 20, y: 12 } });
        await choose(first, picture("other.png", 500_000));
        await first.locator('[data-not-sent="storage_quota_full"]').waitFor();
        assert.deepEqual(await look(first, "attachments-full"), []);
        await person.ask(first, "And in this one?");
        await first.locator('[data-way="refused"][data-error="storage_quota_full"]').waitFor();
        assert.ok((await downloaded(first, "other.png")).length === 500_000, "it is here all the same");
        await proxy.close();
      }),
    ),
  );

  it("leave the device in no way where the conversation stays on it", { timeout: 600_000 }, () =>
    withBrowser({}, async (context) => {
      await context.addInitScript(() => delete globalThis.CompressionStream);
      const proxy = await startProxy(server.origin);
      const { page } = await open(context, proxy.origin);
      await account.signUp(page, data.folder, "otto");
      await account.syncIs(page, "synced");
      await person.loadOffered(page);
      await person.isReady(page);
      await person.choosesPlace(page, "device");
      await person.answersShortly(page);
      const note = text("note.txt", "Pflaumengeheimnis");
      const photo = picture("photo.png", 400_000);
      await choose(page, [note, photo]);
      await inState(page, "note.txt", "ready");
      await inState(page, "photo.png", "ready");
      await person.ask(page, "What is in the note?");
      await person.hasEnded(page);
      await account.syncIs(page, "synced");
      await page.reload();
      await account.syncIs(page, "synced");
      await page.locator(".attachment-image").waitFor();
      assert.ok((await downloaded(page, "photo.png")).equals(photo.buffer), "it is had again here");
      const secrets = [note.buffer, Buffer.from(sha256(note.buffer)), photo.buffer.subarray(1_000, 1_100), Buffer.from(sha256(photo.buffer))];
      for (const { head, body } of proxy.sent) {
        const whole = Buffer.concat([Buffer.from(head), ...body]);
        secrets.forEach((secret) => assert.ok(!whole.includes(secret), head));
      }
      for (const secret of ["Pflaumengeheimnis", sha256(note.buffer), sha256(photo.buffer)]) {
        const found = await promisify(execFile)("grep", ["-rlaF", "--exclude-dir=models", "-e", secret, data.folder]).catch((error) => error);
        const names = await promisify(execFile)("find", [data.folder, "-name", secret]);
        assert.equal(found.stdout + names.stdout, "");
      }
      await proxy.close();
    }),
  );
});
