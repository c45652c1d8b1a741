// People at the page: the first administrator by the server's link, an invitation, signing in and out, what
// goes wrong at it, the second factor, sessions, keys.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import * as account from "../lib/account.mjs";
import { open, withBrowser } from "../lib/browser.mjs";
import { freshData } from "../lib/files.mjs";
import { look } from "../lib/look.mjs";
import { fault, fill, form, isShown, send, signsIn, totp } from "../lib/people.mjs";
import * as person from "../lib/person.mjs";
import { startServer } from "../lib/server.mjs";

const PASSWORD = "sieben Zwetschgen im Karton 41";
const OTHER = "vier lila Kraniche am Wehr 77";

/** A promise, and what keeps it. */
function promised() {
  const made = {};
  made.promise = new Promise((resolve) => (made.resolve = resolve));
  return made;
}

describe("people", () => {
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

  it("begin with an administrator, invite, sign in and are told what went wrong", { timeout: 180_000 }, () =>
    withBrowser({ gpu: false }, (one) =>
      withBrowser({ gpu: false }, async (other) => {
        const { page: first } = await open(one, server.origin);
        await first.locator('[data-open="people"]').click();
        await person.conditionIs(first, "no-people");
        assert.deepEqual(await look(first, "people-nobody"), []);
        await first.goto(`${server.origin}/#/link/nonsense`);
        await fault(first, "link_invalid");
        await first.goto(`${server.origin}/#/link/${await account.adminLink(data.folder)}`);
        await form(first, "link").waitFor();
        await fill(first, "link", "Name for signing in", "Anna Amsel");
        await fill(first, "link", "New password", PASSWORD);
        await send(first, "link");
        await fault(first, "invalid_request");
        assert.match(await form(first, "link").getByRole("alert").innerText(), /^A name for signing in .* no blanks/);
        await fill(first, "link", "Name for signing in", "anna");
        await fill(first, "link", "New password", "passwort123456");
        await send(first, "link");
        await fault(first, "password_weak");
        assert.deepEqual(await look(first, "people-link"), []);
        await fill(first, "link", "New password", PASSWORD);
        await send(first, "link");
        await form(first, "profile").waitFor();
        await isShown(first, "anna");
        assert.deepEqual(await look(first, "people-account"), []);

        await first.getByRole("link", { name: "Administration", exact: true }).click();
        await first.getByRole("link", { name: "People", exact: true }).click();
        await first.locator("[data-invite] > summary").click();
        await fill(first, "invite", "For whom (only you see it)", "Ben");
        await send(first, "invite");
        const link = await first.locator("[data-once]").innerText();
        assert.deepEqual(await look(first, "people-everyone"), []);

        const { page: second } = await open(other, link);
        await fill(second, "link", "Name for signing in", "ben");
        await fill(second, "link", "New password", PASSWORD);
        // By the keyboard alone.
        await second.keyboard.press("Enter");
        await form(second, "profile").waitFor();
        assert.equal(await second.getByRole("link", { name: "Administration", exact: true }).count(), 0);
        await second.goto(link);
        await fault(second, "link_invalid");
        await second.goto(`${server.origin}/#/people`);
        await person.conditionIs(second, "admins-only");

        await second.goto(`${server.origin}/#/account`);
        await second.getByRole("button", { name: "Sign out", exact: true }).click();
        await form(second, "sign-in").waitFor();
        await second.getByRole("dialog").getByRole("button", { name: "Cancel" }).click({ timeout: 3_000 }).catch(() => {});
        await signsIn(second, "ben", OTHER);
        await fault(second, "sign_in_failed");
        assert.deepEqual(await look(second, "people-refused"), []);
        await signsIn(second, "ben", PASSWORD);
        await isShown(second, "ben");

        // Blocked at once, wherever they are.
        await first.reload();
        const row = first.locator('[data-person="ben"]');
        await row.getByRole("button", { name: "Block: ben" }).click();
        await row.getByRole("button", { name: "Block: ben" }).click();
        await row.getByText("blocked").waitFor();
        await second.reload();
        await signsIn(second, "ben", PASSWORD);
        await fault(second, "person_blocked");
      }),
    ),
  );

  it("ask for a code, end other sessions, make keys and take their data along", { timeout: 180_000 }, () =>
    withBrowser({ gpu: false }, (one) =>
      withBrowser({ gpu: false }, async (other) => {
        const { page: first } = await open(one, server.origin);
        await signsIn(first, "anna", PASSWORD);
        await isShown(first, "anna");
        await first.goto(`${server.origin}/#/account`);
        await fill(first, "totp", "Password", PASSWORD);
        await send(first, "totp");
        const secret = await first.locator("[data-totp-secret]").innerText();
        await first.getByRole("img", { name: "QR code for the app" }).waitFor();
        assert.deepEqual(await look(first, "people-totp"), []);
        await fill(first, "totp", "Code of the app", totp(secret));
        await send(first, "totp");
        const recovery = await first.locator(".people-codes li").first().innerText();
        assert.equal(await first.locator(".people-codes li").count(), 10);

        const { page: second } = await open(other, server.origin);
        await signsIn(second, "anna", PASSWORD);
        await fault(second, "code_needed");
        assert.deepEqual(await look(second, "people-code"), []);
        await fill(second, "sign-in", "Code of your app, or a recovery code", "000000");
        await send(second, "sign-in");
        await fault(second, "code_wrong");
        await fill(second, "sign-in", "Code of your app, or a recovery code", recovery);
        await send(second, "sign-in");
        await isShown(second, "anna");

        await first.reload();
        const sessions = first.locator("[data-session]");
        await sessions.nth(1).getByText("Chrome on Linux").waitFor();
        await first.getByRole("button", { name: "Sign out all others" }).click();
        await sessions.nth(1).waitFor({ state: "detached" });
        await second.goto(`${server.origin}/#/account`);
        await second.reload();
        await form(second, "sign-in").waitFor();

        await fill(first, "key", "Name of the key", "cron");
        await form(first, "key").getByRole("checkbox", { name: "your own chats" }).uncheck();
        await form(first, "key").getByLabel("How long it holds").selectOption("30");
        await send(first, "key");
        const key = await first.locator("#people-keys ~ .people-once [data-once], section:has(#people-keys) [data-once]").first().innerText();
        const models = () => fetch(`${server.origin}/v1/models`, { headers: { authorization: `Bearer ${key}` } }).then((answer) => answer.status);
        assert.equal(await models(), 200);
        await first.locator("[data-key]").getByText("chats and texts, vectors and ranking, reading and searching documents, adding and deleting documents").waitFor();
        await first.locator("[data-key]").getByText(/until \d+ \w+ \d+/).waitFor();
        assert.deepEqual(await look(first, "people-keys"), []);
        await first.getByRole("button", { name: "Revoke cron" }).click();
        await first.getByRole("button", { name: "Revoke cron" }).click();
        await first.locator("[data-key]").waitFor({ state: "detached" });
        assert.equal(await models(), 401);
        const [file] = await Promise.all([
          first.waitForEvent("download"),
          first.getByRole("link", { name: "Download all that is known of you" }).click(),
        ]);
        assert.match(file.suggestedFilename(), /\.json$/);
      }),
    ),
  );

  it("are who signed in last, also where an older answer comes last", { timeout: 60_000 }, () =>
    withBrowser({ gpu: false, serviceWorkers: "block" }, async (context) => {
      const [asked, released, came] = [promised(), promised(), promised()];
      let n = 0;
      await context.route("**/api/session", async (route) => {
        if (route.request().method() !== "GET" || n++ > 0) return route.continue();
        // Nobody is signed in yet.
        const response = await route.fetch();
        asked.resolve();
        await released.promise;
        await route.fulfill({ response });
        came.resolve();
      });
      const { page } = await open(context, server.origin);
      await asked.promise;
      await account.signUp(page, data.folder, "zoe");
      await isShown(page, "zoe");
      released.resolve();
      await came.promise;
      // Time to be taken for true.
      await page.waitForTimeout(500);
      assert.equal(await page.locator('[data-open="people"]').filter({ hasText: "zoe" }).count(), 1);
      assert.equal(await page.getByRole("dialog").count(), 0, "nobody signed out");
    }),
  );
});
