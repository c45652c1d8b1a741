// Who administers the house sees how it is doing and what was used, with plots whose numbers are those of the
// requests that were made; a browser says what its device can do only when its person wants it.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { signUp } from "../lib/account.mjs";
import { open, withBrowser } from "../lib/browser.mjs";
import { freshData } from "../lib/files.mjs";
import { goTo } from "../lib/library.mjs";
import { look } from "../lib/look.mjs";
import { form, send } from "../lib/people.mjs";
import { startServer } from "../lib/server.mjs";
import { says, startUpstream } from "../lib/upstream.mjs";

const REQUESTS = 4;
/** Of each, as the upstream says it. */
const [READ, WRITTEN] = [10, 5];

/** Asks the server as the page would. */
const asks = (page, method, path, body) =>
  page.evaluate(
    async ([how, to, what]) => {
      const headers = { "content-type": "application/json" };
      const answer = await fetch(to, { method: how, headers, body: what && JSON.stringify(what) });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${to}: ${answer.status} ${text}`);
      return text && text.startsWith("{") ? JSON.parse(text) : text;
    },
    [method, path, body],
  );

const top = (page) => page.locator(".library-scroll").evaluate((view) => void (view.scrollTop = 0));

const total = (page, name) => page.locator(`[data-total="${name}"]`).innerText();

describe("usage and overview", () => {
  let data, upstream, server;
  before(async () => {
    data = await freshData();
    upstream = await startUpstream(() => says("Yes."));
    await writeFile(
      join(data.folder, "portico.toml"),
      `[[upstreams]]\nid = "fleet"\nurl = "${upstream.url}"\n[[upstreams]]\nid = "away"\nurl = "http://127.0.0.1:9/v1"\n
[[models]]\nid = "script"\nendpoints = [{ upstream = "fleet" }]\n`,
    );
    server = await startServer({ data: data.folder });
  });
  after(async () => {
    await server?.stop();
    await upstream?.stop();
    await data?.remove();
  });

  it("shows what was used as it was, by the figures of the house, and what needs looking after", { timeout: 180_000 }, () =>
    withBrowser({ gpu: false }, async (context) => {
      const { page, complaints } = await open(context, server.origin);
      await signUp(page, data.folder, "anna");
      for (let n = 0; n < REQUESTS; n++) {
        await asks(page, "POST", "/v1/chat/completions", { model: "script", stream: true, messages: [{ role: "user", content: "Yes?" }] });
      }
      await asks(page, "PUT", "/api/policy", { audit_device_use: true });
      await asks(page, "POST", "/api/audit/device-use", { model: "smollm2-135m-instruct", prompt_tokens: 300, completion_tokens: 200 });

      await goTo(page, "#/people/usage");
      await page.locator('[data-total="tokens"]').waitFor();
      assert.equal(await total(page, "tokens"), String(REQUESTS * (READ + WRITTEN) + 500));
      assert.equal(await total(page, "requests"), String(REQUESTS + 1));
      const sums = page.locator('[data-plot="usage-days"] [data-sum]');
      await page.locator('[data-plot="usage-days"] summary').click();
      assert.equal((await sums.allInnerTexts()).map(Number).reduce((a, b) => a + b), REQUESTS * (READ + WRITTEN) + 500, "the table says what the bars do");
      assert.equal(await page.locator('[data-plot="usage-days"] rect').count(), 2, "a part for each place, today");
      const line = page.locator('[data-bars="models"] [data-line="script"] td');
      assert.deepEqual(await line.allInnerTexts(), [REQUESTS, REQUESTS * READ, REQUESTS * WRITTEN, REQUESTS * (READ + WRITTEN)].map(String));
      assert.equal(await page.locator('[data-bars="people"]').count(), 0, "nobody by name unless the house wants it");

      // A price and another detail, and what they come to.
      await form(page, "usage").getByLabel("Currency (three letters; empty: none)").fill("eur");
      await form(page, "usage").getByLabel("For a million tokens read").fill("2,5");
      await form(page, "usage").getByLabel("For a million tokens written").fill("ten");
      await send(page, "usage");
      await form(page, "usage").locator('[role="alert"]').waitFor();
      await form(page, "usage").getByLabel("For a million tokens written").fill("10");
      await page.locator('[data-choose="detail"]').selectOption("people");
      await form(page, "usage").getByText("People may say what their devices can do").click();
      await send(page, "usage");
      await page.locator('[data-bars="people"] [data-line="anna"]').waitFor();
      const cost = ((REQUESTS * READ + 300) * 2.5 + (REQUESTS * WRITTEN + 200) * 10) / 1e6;
      assert.equal(await total(page, "cost"), `${cost.toFixed(4)}\u00a0EUR`);
      await page.getByText("Too few have answered so far").waitFor();
      await top(page);
      assert.deepEqual(await look(page, "house-usage"), []);
      const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Save as CSV" }).click()]);
      assert.equal(file.suggestedFilename(), "usage.csv");

      // The device says nothing until its person says so; then once this month.
      const reports = [];
      page.on("request", (request) => request.method() === "POST" && request.url().endsWith("/api/usage/devices") && reports.push(request.postDataJSON()));
      await page.goto(`${server.origin}/#/account`);
      await page.reload();
      const choice = page.locator('[data-choose="device-say"]');
      await choice.waitFor();
      assert.equal(await choice.isChecked(), false);
      assert.deepEqual(reports, []);
      const said = page.waitForResponse((answer) => answer.url().endsWith("/api/usage/devices"));
      await choice.check();
      assert.equal((await said).status(), 204);
      assert.deepEqual(Object.keys(reports[0]).sort(), ["buffer_mib", "f16", "gpu", "memory_gib", "models", "subgroups"]);
      await page.reload();
      await choice.waitFor();
      assert.equal(await choice.isChecked(), true);
      assert.equal(reports.length, 1, "once a month");
      // Another month: it is said when the page is next opened, wherever.
      await page.evaluate(() => localStorage.setItem("portico.device-say", "2020-01"));
      const again = page.waitForResponse((answer) => answer.url().endsWith("/api/usage/devices"));
      await page.goto(`${server.origin}/`);
      await page.reload();
      assert.equal((await again).status(), 204);
      await asks(page, "POST", "/api/usage/devices", reports[0]);

      await goTo(page, "#/people/usage");
      await page.locator('[data-bars="gpu"]').waitFor();
      assert.deepEqual(await page.locator('[data-bars="gpu"] td').allInnerTexts(), ["3"]);
      await page.locator("[data-devices] h3").evaluate((heading) => heading.scrollIntoView());
      assert.deepEqual(await look(page, "house-usage-devices"), []);

      // What a new house does first has a picture of its own.
      await asks(page, "PUT", "/api/first-hour", { hidden: true });
      await goTo(page, "#/people/overview");
      await page.locator('[data-upstream="away"][data-well="false"]').waitFor({ timeout: 30_000 });
      await page.locator('[data-concern="upstream"]').filter({ hasText: "away" }).waitFor();
      await page.locator('[data-concern="backup"]').waitFor();
      await page.locator('[data-upstream="fleet"]').getByText(`${REQUESTS} requests, 0 failed`).waitFor();
      assert.deepEqual(await look(page, "house-overview"), []);
      const told = await asks(page, "GET", "/api/people");
      await goTo(page, `#/people/person/${told.people[0].id}`);
      await page.locator('[data-used="true"]').waitFor();
      assert.deepEqual({ csp: complaints.csp, foreign: complaints.foreign }, { csp: [], foreign: [] });
    }),
  );
});
