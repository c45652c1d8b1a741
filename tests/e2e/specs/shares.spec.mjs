// A chat shared inside the house: one person shares, renews and ends it, another reads it and goes on with a
// copy. What the chat says is hostile.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import * as account from "../lib/account.mjs";
import { open, withBrowser } from "../lib/browser.mjs";
import { look } from "../lib/look.mjs";
import { fault, form, isShown, send } from "../lib/people.mjs";
import * as person from "../lib/person.mjs";
import { startServer } from "../lib/server.mjs";
import { says, startUpstream } from "../lib/upstream.mjs";

const HOSTILE = [
  "Closed on **Friday**.",
  "<img src=x onerror='canary()'><script>canary()</script>",
  "![remote](https://evil.example/x.png) [no](javascript:canary()) [there](https://example.org/?q=secret)",
].join("\n\n");
const LATER = "Only Anna reads this.";

const shared = (page) => page.locator("[data-shared]");
const post = (page, path, body) =>
  page.evaluate(
    async ([to, what]) => {
      const answer = await fetch(to, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(what) });
      if (!answer.ok) throw new Error(`${to}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    },
    [path, body],
  );

/** To the form, by the chat's menu. */
async function toShare(page, title) {
  const row = page.locator(".row-item", { hasText: title }).first();
  await row.hover();
  await row.getByRole("button", { name: "Folder, tags and archive" }).click();
  await page.locator("#organise").getByRole("link", { name: "Share …" }).click();
  await form(page, "share").waitFor();
}

describe("chats shared inside the house", () => {
  let upstream, server, folder;
  before(async () => {
    upstream = await startUpstream((request) => says(request.messages.at(-1).content.includes("later") ? LATER : HOSTILE));
    folder = await mkdtemp(join(tmpdir(), "portico-shares-"));
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

  it("are read as they were, renewed, gone on with and ended", { timeout: 180_000 }, () =>
    withBrowser({ gpu: false }, (one) =>
      withBrowser({ gpu: false }, async (other) => {
        const { origin } = server;
        const ran = [];
        await other.exposeFunction("canary", () => ran.push("ran"));
        const { page: anna } = await open(one, origin);
        anna.setDefaultTimeout(20_000);
        await account.signUp(anna, folder, "anna");
        await isShown(anna, "anna");
        await person.nextPlaceIs(anna, "server");
        await person.ask(anna, "When is the bridge closed?");
        await person.answerIs(anna, "done");
        await account.syncIs(anna, "synced");
        const link = await post(anna, "/api/people/links", { role: "member", groups: [] });
        const { page: bea, complaints } = await open(other, origin);
        bea.setDefaultTimeout(20_000);
        await post(bea, "/api/links/open", { secret: link.url.split("/#/link/")[1], name: "bea", password: "sieben Igel im Laub" });
        await bea.evaluate(() => dispatchEvent(new CustomEvent("portico-session")));
        await isShown(bea, "bea");
        const wrong = [];

        // Shared with everyone; what the other sees is seen before.
        await toShare(anna, "When is the bridge closed");
        await form(anna, "share").getByText("What others will see").click();
        await shared(anna).getByText("Friday").waitFor();
        wrong.push(...(await look(anna, "share")));
        await send(anna, "share");
        const url = await form(anna, "share").locator("[data-once]").innerText();
        await anna.locator("[data-share-of]").waitFor();
        wrong.push(...(await look(anna, "share-shared")));

        // Read by the other, inert.
        await bea.goto(url);
        await shared(bea).getByText("Friday").waitFor();
        await bea.getByText("Shared by anna").waitFor();
        assert.equal(await shared(bea).locator("img, script, a[href^='javascript:'], a[href^='https:']").count(), 0);
        assert.equal(await shared(bea).locator(".bubble").innerText(), "When is the bridge closed?");
        wrong.push(...(await look(bea, "shared")));

        // What is written afterwards is not in it, until it is shared anew.
        await anna.goto(origin);
        await anna.locator(".row-open").first().click();
        await person.ask(anna, "And later?");
        await person.answerIs(anna, "done");
        await anna.locator('[data-role="assistant"]').last().getByText(LATER).waitFor();
        await account.syncIs(anna, "synced");
        await bea.reload();
        await shared(bea).getByText("Friday").waitFor();
        assert.equal(await shared(bea).getByText(LATER).count(), 0);
        await toShare(anna, "When is the bridge closed");
        await form(anna, "share").and(anna.locator('[data-shared="true"]')).waitFor();
        await send(anna, "share");
        await anna.locator(".people-said").filter({ hasText: "Shared." }).waitFor();
        await bea.reload();
        await shared(bea).getByText(LATER).waitFor();

        // A copy of one's own goes on.
        await bea.getByRole("button", { name: "Continue as a conversation of my own" }).click();
        await person.answerIs(bea, "done");
        await bea.getByText(LATER).waitFor();
        await person.ask(bea, "Thanks, later.");
        await person.answerIs(bea, "done");
        assert.equal(await bea.locator('[data-role="user"]').count(), 3);
        await account.syncIs(bea, "synced");

        // Ended, at once.
        const end = anna.locator("[data-share-of]").getByRole("button", { name: /^Stop sharing/ });
        await end.click();
        await end.click();
        await anna.locator(".people-said").filter({ hasText: "No longer shared." }).waitFor();
        await bea.goto(url);
        await fault(bea, "share_not_found");
        wrong.push(...(await look(bea, "shared-ended")));
        // Not for who is not signed in.
        await bea.goto(`${origin}/#/account`);
        await bea.getByRole("button", { name: "Sign out", exact: true }).click();
        await form(bea, "sign-in").waitFor();
        await bea.goto(url);
        await form(bea, "sign-in").waitFor();
        assert.deepEqual({ wrong, ran, csp: complaints.csp, foreign: complaints.foreign }, { wrong: [], ran: [], csp: [], foreign: [] });
      }),
    ));
});
