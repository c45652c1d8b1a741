// Files that go with a message: chosen, dropped or pasted, read on the device, part of what the model is
// asked and of what is kept. One that is too long becomes a document.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { open, withBrowser } from "../lib/browser.mjs";
import { freshData, realFiles, SAYS, SECOND_PAGE } from "../lib/files.mjs";
import { look } from "../lib/look.mjs";
import * as person from "../lib/person.mjs";
import { startServer } from "../lib/server.mjs";

const choose = (page, files) => page.locator('[data-attach="files"]').setInputFiles(files);
const inState = (page, name, state) => page.locator(`[data-attached="${state}"]`).filter({ hasText: name }).waitFor({ timeout: 30_000 });
const text = (name, body) => ({ name, mimeType: "text/plain", buffer: Buffer.from(body) });

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
});
