// Whole journeys by the keyboard alone: no click, no focus by script. Each control is walked to with Tab, and
// the focus must be seen where it stands.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import * as account from "../lib/account.mjs";
import { open, withBrowser } from "../lib/browser.mjs";
import { press, reach, type } from "../lib/keyboard.mjs";
import { isShown } from "../lib/people.mjs";
import * as person from "../lib/person.mjs";
import * as scripts from "../lib/scripts.mjs";
import { startServer } from "../lib/server.mjs";
import { says, startUpstream } from "../lib/upstream.mjs";

const PASSWORD = "neun gelbe Reiher im Schilf 31";
const LETTER = "The bridge at the mill is closed from Monday. Its bolts are worn and will be renewed.";

const button = (page, name) => page.getByRole("button", { name, exact: true });
const box = (page) => page.getByRole("textbox", { name: "Message", exact: true });
const field = (page, form, label) => page.locator(`[data-form="${form}"]`).getByLabel(label, { exact: true });
const isFocused = (locator) => locator.evaluate((node) => node === document.activeElement);

/** From a fresh load the first stop leads past the sidebar. */
async function skips(page) {
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
}

describe("by the keyboard alone", () => {
  let upstream, server, folder;
  before(async () => {
    upstream = await startUpstream(({ messages }) => says(`${messages.filter(({ role }) => role === "user").length}: ${messages.at(-1).content}`));
    folder = await mkdtemp(join(tmpdir(), "portico-keyboard-"));
    await writeFile(
      join(folder, "portico.toml"),
      `[[upstreams]]\nid = "fleet"\nurl = "${upstream.url}"\n[[models]]\nid = "script"\nendpoints = [{ upstream = "fleet" }]\n`,
    );
    server = await startServer({ data: folder });
  });
  after(async () => {
    await server?.stop();
    await upstream?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const withPage = (work) =>
    withBrowser({ gpu: false }, async (context) => {
      const { page, complaints } = await open(context, server.origin);
      // Nothing is computed here that takes longer.
      page.setDefaultTimeout(20_000);
      await scripts.ready(page);
      await work(page);
      assert.deepEqual(complaints, { errors: [], csp: [], foreign: [] });
    });

  it("somebody asks, edits, walks between versions, names, pins, deletes and takes back", { timeout: 120_000 }, () =>
    withPage(async (page) => {
      await person.nextPlaceIs(page, "server");
      await skips(page);
      assert.ok(await isFocused(box(page)));
      await page.keyboard.type("How many bolts?");
      await page.keyboard.press("Enter");
      await person.answerIs(page, "done");
      assert.match(await page.locator(".answer").innerText(), /^1: How many bolts\?/);

      await press(page, button(page, "Edit message"), { back: true });
      await page.waitForFunction(() => document.activeElement?.matches("article textarea"));
      await page.keyboard.press("End");
      await page.keyboard.type(" Roughly.");
      await press(page, button(page, "Save and send"));
      await page.locator(".answer", { hasText: "1: How many bolts? Roughly." }).waitFor();
      await person.answerIs(page, "done");
      await press(page, button(page, "Previous version"), { back: true });
      await page.getByRole("group", { name: "Version 1 of 2" }).waitFor();
      await press(page, button(page, "Answer again"));
      await person.answerIs(page, "done");

      const row = page.locator(".row-item").first();
      await press(page, row.getByRole("button", { name: "Rename", exact: true }), { back: true });
      await page.getByRole("textbox", { name: "Title", exact: true }).waitFor();
      await page.waitForFunction(() => document.activeElement?.matches(".row-rename"));
      await page.keyboard.type("Bolts");
      await page.keyboard.press("Enter");
      await page.locator(".row-title", { hasText: "Bolts" }).waitFor();
      await press(page, row.getByRole("button", { name: "Pin", exact: true }));
      await page.getByRole("heading", { name: "Pinned" }).waitFor();
      await press(page, row.getByRole("button", { name: "Delete", exact: true }));
      await page.getByText("No conversations yet").or(page.locator(".conversations .hint")).first().waitFor();
      await press(page, button(page, "Undo"));
      await page.locator(".row-title", { hasText: "Bolts" }).waitFor();
    }));

  it("somebody finds the list of keys, the settings and a way back out of each", { timeout: 120_000 }, () =>
    withPage(async (page) => {
      await page.keyboard.press("?");
      await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
      await page.keyboard.press("Escape");
      await page.locator("dialog[open]").waitFor({ state: "detached" });

      await press(page, button(page, "Settings"));
      const theme = page.getByRole("dialog").getByRole("combobox").filter({ hasText: "Dark" });
      await reach(page, theme);
      await page.keyboard.type("Dark");
      await page.locator('html[data-theme="dark"]').waitFor();
      await page.keyboard.press("Escape");
      await page.locator("dialog[open]").waitFor({ state: "detached" });
      assert.ok(await isFocused(button(page, "Settings")), "the focus came back to what opened the dialog");

      await press(page, button(page, "Models"));
      await page.getByRole("dialog", { name: "Models" }).waitFor();
      await page.keyboard.press("Escape");
      await page.keyboard.press("n");
      await page.waitForFunction(() => document.activeElement?.matches(".composer textarea"));
    }));

  it("the first administrator makes the account, adds documents, asks them and invites", { timeout: 180_000 }, () =>
    withPage(async (page) => {
      await page.goto(`${server.origin}/#/link/${await account.adminLink(folder)}`);
      await type(page, field(page, "link", "Name for signing in"), "anna");
      await type(page, field(page, "link", "New password"), PASSWORD);
      await page.keyboard.press("Enter");
      await page.locator('[data-form="profile"]').waitFor();
      await isShown(page, "anna");

      await press(page, page.getByRole("link", { name: "Documents", exact: true }), { back: true });
      await press(page, page.getByRole("button", { name: "New collection" }));
      await type(page, page.getByRole("textbox", { name: "Title" }), "Letters");
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Letters" }).waitFor();
      const choosing = page.waitForEvent("filechooser");
      await press(page, page.getByRole("button", { name: /^(Choose|Add) files/ }));
      await (await choosing).setFiles({ name: "bridge.txt", mimeType: "text/plain", buffer: Buffer.from(LETTER) });
      await page.getByText("bridge.txt").first().waitFor();

      const menu = page.locator('[data-open="people"]');
      await press(page, menu, { back: true });
      await press(page, page.getByRole("link", { name: "Administration", exact: true }));
      await press(page, page.getByRole("link", { name: "People", exact: true }));
      await press(page, page.locator("[data-invite] > summary"));
      await press(page, page.locator('[data-form="invite"] [type="submit"]'));
      await page.getByText(/#\/link\/[0-9a-f]{32}/).or(page.locator('[data-invite] input[readonly]')).first().waitFor();
    }));
});
