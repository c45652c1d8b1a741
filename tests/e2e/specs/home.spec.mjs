// The first page: what it offers with what is there, what the administration announces, and prompts by `/`,
// by the keyboard alone, with variables, and without the server.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { signUp } from "../lib/account.mjs";
import { open, withBrowser } from "../lib/browser.mjs";
import { look } from "../lib/look.mjs";
import { fill, form, isShown, send } from "../lib/people.mjs";
import * as person from "../lib/person.mjs";
import { startServer } from "../lib/server.mjs";
import { says, startUpstream } from "../lib/upstream.mjs";

const HOSTILE = [
  "# Closed on **Friday**",
  "The [timetable](https://example.org/times) is new.",
  "<img src=x onerror='canary()'><script>canary()</script>",
  "![remote](https://evil.example/x.png) [no](javascript:canary())",
].join("\n\n");

const box = (page) => page.getByRole("textbox", { name: "Message", exact: true });
const option = (page, name) => page.getByRole("option", { name });
const written = (page) => box(page).inputValue();

const post = (page, path, body) =>
  page.evaluate(
    async ([to, what]) => {
      const answer = await fetch(to, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(what) });
      if (!answer.ok) throw new Error(`${to}: ${answer.status} ${await answer.text()}`);
    },
    [path, body],
  );

describe("home", () => {
  let upstream, server, folder;
  before(async () => {
    upstream = await startUpstream(() => says("Noted."));
    folder = await mkdtemp(join(tmpdir(), "portico-home-"));
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

  it("announces, suggests, and keeps prompts that / brings into the box", { timeout: 120_000 }, () =>
    withBrowser({ gpu: false }, async (context) => {
      const ran = [];
      await context.exposeFunction("canary", () => ran.push("ran"));
      const { page, complaints } = await open(context, server.origin);
      page.setDefaultTimeout(20_000);
      const wrong = [];

      // Nothing yet: one can chat at once, and is told where that is answered.
      await page.locator('[data-home="place"]').filter({ hasText: "script answers on the server of Portico" }).waitFor();
      assert.equal(await page.locator(".announcement").count(), 0);
      await page.locator('[data-suggestion="letter"]').click();
      assert.match(await written(page), /^Write a short, polite letter/);
      await page.keyboard.press("Enter");
      await person.answerIs(page, "done");
      await page.getByRole("button", { name: "New conversation" }).click();
      await page.locator(".home-recent").filter({ hasText: "polite letter" }).waitFor();

      // An administrator announces something, seeing before how it looks.
      await signUp(page, folder, "anna");
      await isShown(page, "anna");
      await post(page, "/api/collections", { title: "Statutes" });
      await page.goto(`${server.origin}/#/people/announcements`);
      await page.locator('[data-state="no-announcements"]').waitFor();
      await page.getByRole("button", { name: "Announce something" }).click();
      await fill(page, "announcement", "Title", "Bridge closed");
      await fill(page, "announcement", "Text, in Markdown", HOSTILE);
      await page.getByRole("region", { name: "As it will look" }).getByText("Closed on Friday").waitFor();
      wrong.push(...(await look(page, "people-announcements")));
      await send(page, "announcement");
      await page.locator('[data-announcement="Bridge closed"]').filter({ hasText: "shown now · for everybody" }).waitFor();

      // Prompts of one's own and of the house; the house's by the form, others by a file of Open WebUI.
      await page.goto(`${server.origin}/#/prompts`);
      await page.locator('[data-state="no-prompts"]').waitFor();
      await page.getByRole("button", { name: "New prompt" }).click();
      await form(page, "prompt").locator("select").selectOption("everyone");
      await fill(page, "prompt", "Title", "Letter");
      await fill(page, "prompt", "What it is for (may be empty)", "to whom you say");
      await fill(page, "prompt", "Text", "A {{tone: friendly | dry}} letter to {{name}} by {{when = Friday}}.");
      await page.locator('[data-asks=""]').filter({ hasText: "Asks for: tone, name, when" }).waitFor();
      wrong.push(...(await look(page, "people-prompt")));
      await send(page, "prompt");
      await page.locator('[data-prompt="Letter"]').waitFor();
      const file = JSON.stringify([{ command: "/sum", title: "Summary", content: "Sum it up." }, { title: "nothing" }]);
      await page.locator('[data-choose="prompts"]').setInputFiles({ name: "prompts.json", mimeType: "application/json", buffer: Buffer.from(file) });
      await page.locator(".people-said").filter({ hasText: "Imported: 1. Not readable: 1." }).waitFor();
      await page.locator('[data-prompt="Summary"]').waitFor();
      const exported = await page.locator('[data-export="prompts"]').getAttribute("href");
      assert.deepEqual(JSON.parse(decodeURIComponent(exported.split(",")[1])).map(({ command }) => command), ["/summary"]);
      wrong.push(...(await look(page, "people-prompts")));

      // On the first page: what is announced is text, and can be closed.
      await page.goto(`${server.origin}/#/`);
      const announced = page.locator(".announcement");
      await announced.getByRole("heading", { name: "Bridge closed" }).waitFor();
      await announced.getByRole("link", { name: "timetable" }).waitFor();
      assert.equal(await announced.locator("img, script, a[href^='javascript:']").count(), 0);
      const chip = page.getByRole("button", { name: "Statutes" });
      await chip.click();
      await page.locator('.home-chip[aria-pressed="true"]').waitFor();
      await chip.click();
      wrong.push(...(await look(page, "home")));

      // By the keyboard alone: / lists, typing filters, arrows walk, Escape leaves what was typed.
      await box(page).focus();
      await page.keyboard.type("/");
      await option(page, "Letter").waitFor();
      assert.equal(await option(page, "Letter").getAttribute("aria-selected"), "true");
      const active = () => box(page).getAttribute("aria-activedescendant");
      assert.equal(await active(), "prompt-0");
      await page.keyboard.press("ArrowDown");
      assert.equal(await active(), "prompt-1");
      wrong.push(...(await look(page, "home-prompts")));
      await page.keyboard.type("whom");
      await option(page, "Summary").waitFor({ state: "detached" });
      await page.keyboard.press("Escape");
      await option(page, "Letter").waitFor({ state: "detached" });
      assert.equal(await written(page), "/whom");
      await box(page).fill("");

      // Its variables are asked for, one by one.
      await page.keyboard.type("/let");
      await option(page, "Letter").waitFor();
      await page.keyboard.press("Enter");
      const asking = page.getByRole("form", { name: "Letter" });
      await asking.waitFor();
      wrong.push(...(await look(page, "home-prompt-asks")));
      await page.keyboard.press("Escape");
      await asking.waitFor({ state: "detached" });
      assert.ok(await box(page).evaluate((node) => node === document.activeElement));
      await box(page).fill("");
      await page.keyboard.type("/let");
      await option(page, "Letter").waitFor();
      await page.keyboard.press("Enter");
      await asking.waitFor();
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Tab");
      await page.keyboard.type("Mia {{tone}}");
      await page.keyboard.press("Enter");
      await asking.waitFor({ state: "detached" });
      assert.equal(await written(page), "A dry letter to Mia {{tone}} by Friday.");
      await page.keyboard.press("Enter");
      await person.answerIs(page, "done");
      assert.equal(upstream.asked.at(-1).messages.at(-1).content, "A dry letter to Mia {{tone}} by Friday.");

      // What is no prompt is sent as it stands.
      await box(page).fill("");
      await box(page).focus();
      await page.keyboard.type("/nosuch");
      await page.locator('[data-prompts="list"]').filter({ hasText: "No prompt is called so." }).waitFor();
      await page.keyboard.press("Enter");
      await page.locator('[data-role="user"], .message.user').filter({ hasText: "/nosuch" }).waitFor();
      await person.answerIs(page, "done");

      // Without the server both stand; what was closed stays closed.
      await page.waitForFunction(() => navigator.serviceWorker.controller);
      await page.goto(`${server.origin}/#/`);
      await server.stop();
      await page.reload();
      await announced.waitFor();
      await box(page).focus();
      await page.keyboard.type("/sum");
      await option(page, "Summary").waitFor();
      await page.keyboard.press("Enter");
      assert.equal(await written(page), "Sum it up.");
      await box(page).fill("");
      wrong.push(...(await look(page, "home-offline")));
      await page.getByRole("button", { name: "Close “Bridge closed”" }).click();
      await announced.waitFor({ state: "detached" });
      await page.reload();
      await page.locator(".home-recent").first().waitFor();
      assert.equal(await announced.count(), 0);

      assert.deepEqual(wrong, []);
      assert.deepEqual(ran, []);
      assert.deepEqual(complaints.csp, []);
      assert.deepEqual(complaints.foreign, []);
    }),
  );
});
