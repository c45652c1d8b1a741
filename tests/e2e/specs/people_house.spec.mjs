// Who administers the house decides at the page: one person, groups, rules and what they come to, rules for
// a sign-in service, the log. What the page says that rules come to is compared with what the server says.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import * as account from "../lib/account.mjs";
import { open, withBrowser } from "../lib/browser.mjs";
import { freshData } from "../lib/files.mjs";
import { goTo } from "../lib/library.mjs";
import { look } from "../lib/look.mjs";
import { effect, fault, fill, form, isSaved, isShown, says, send, types } from "../lib/people.mjs";
import * as person from "../lib/person.mjs";
import { startServer } from "../lib/server.mjs";

const PASSWORD = "vier lila Kraniche am Wehr 77";

/** Asks the server as the page would. */
const asks = (page, method, path, body) =>
  page.evaluate(
    async ([how, to, what]) => {
      const headers = { "content-type": "application/json" };
      const answer = await fetch(to, { method: how, headers, body: what && JSON.stringify(what) });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${to}: ${answer.status} ${text}`);
      return text ? JSON.parse(text) : undefined;
    },
    [method, path, body],
  );

/** Makes an account by an invitation, on a page that is then signed in with it. */
async function joins(admin, page, name, groups = []) {
  const { url } = await asks(admin, "POST", "/api/people/links", { groups, note: name });
  const secret = url.split("/#/link/")[1];
  await asks(page, "POST", "/api/links/open", { secret, password: PASSWORD, name });
}

/** A small model may also be stopped, going in circles. */
const answered = (page) =>
  page.locator('[data-role="assistant"]').last().and(page.locator('[data-state="done"], [data-state="stopped"]')).waitFor({ timeout: 100_000 });

/** How often the administration's Wasm was asked for. */
const fetchesOfHouse = (page) =>
  page.evaluate(() => performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("/house_bg.wasm")).length);

/** The browser says that its user reads another language. */
const speaks = (page, lang) =>
  page.evaluate((lang) => {
    Object.defineProperty(navigator, "languages", { configurable: true, get: () => [lang] });
    window.dispatchEvent(new Event("languagechange"));
  }, lang);

const personOf = (page, name) => asks(page, "GET", "/api/people").then(({ people }) => people.find((one) => one.name === name));

describe("the house's administration", () => {
  let data;
  let server;
  before(async () => {
    data = await freshData();
    // Documents by their words alone.
    server = await startServer({ data: data.folder, env: { PORTICO_DOCUMENTS_EMBEDDER: "none" } });
  });
  after(async () => {
    await server?.stop();
    await data?.remove();
  });

  it("makes groups and rules, and says what they come to before and after they are saved", { timeout: 300_000 }, () =>
    withBrowser({ gpu: false }, (one) =>
      withBrowser({ gpu: false }, async (other) => {
        const { page } = await open(one, server.origin);
        const { page: bens } = await open(other, server.origin);
        await account.signUp(page, data.folder, "anna");
        await goTo(page, "#/people/groups");
        await page.locator('[data-state="no-groups"]').waitFor();
        await fill(page, "group", "Name of the group", "staff & board");
        await send(page, "group");
        await form(page, "group-rules").waitFor();
        await joins(page, bens, "ben", ["staff & board"]);
        await page.reload();

        // What stands in the form is shown for whoever is chosen, before it is saved.
        await page.locator('[data-choose="effect"]').selectOption({ label: "ben" });
        assert.deepEqual(await effect(page, "tokens_per_day"), { value: "no limit", from: "nobody, as usual" });
        await says(page, "tokens_per_day", "these");
        await types(page, "tokens_per_day", "many");
        await send(page, "group-rules");
        await form(page, "group-rules").locator('[role="alert"]').waitFor();
        await types(page, "tokens_per_day", "50,000");
        assert.deepEqual(await effect(page, "tokens_per_day"), { value: "50,000", from: "staff & board" });
        await says(page, "models_on_server", "these");
        await types(page, "models_on_server", "large, small");
        await says(page, "storage_bytes", "these");
        await types(page, "storage_bytes", "2.5");
        await says(page, "make_keys", "closed");
        assert.deepEqual(await look(page, "house-group"), []);
        const before = await asks(bens, "GET", "/api/session");
        assert.equal(before.may.tokens_per_day, null, "nothing is saved yet");
        await send(page, "group-rules");
        await isSaved(page, "group-rules");
        const { may } = await asks(bens, "GET", "/api/session");
        assert.deepEqual(
          [may.tokens_per_day, may.models_on_server, may.storage_bytes, may.make_keys, may.retention_days],
          [50_000, ["large", "small"], 2_500_000, false, null],
        );
        await page.reload();
        assert.equal(await page.locator('[data-rule="models_on_server"] input').inputValue(), "large, small");
        assert.equal(await page.locator('[data-rule="storage_bytes"] input').inputValue(), "2.5");

        // What the house says counts where no group does.
        await goTo(page, "#/people/rules");
        await says(page, "retention_days", "these");
        await types(page, "retention_days", "30");
        await says(page, "tokens_per_day", "these");
        await types(page, "tokens_per_day", "10");
        await page.locator('[data-choose="guests"]').selectOption("none");
        await page.locator('[data-choose="effect"]').selectOption({ label: "ben" });
        assert.deepEqual(await effect(page, "retention_days"), { value: "30 days", from: "the house" });
        assert.deepEqual(await effect(page, "tokens_per_day"), { value: "50,000", from: "staff & board" });
        assert.deepEqual(await look(page, "house-rules"), []);
        await send(page, "policy");
        await isSaved(page, "policy");
        const again = await asks(bens, "GET", "/api/session");
        assert.deepEqual([again.may.retention_days, again.may.tokens_per_day], [30, 50_000]);
        const guest = await fetch(`${server.origin}/api/session`).then((answer) => answer.json());
        assert.deepEqual([guest.person, guest.may], [null, null]);
        await withBrowser({ gpu: false }, async (nobodys) => {
          const { page: guests } = await open(nobodys, server.origin);
          await guests.getByRole("button", { name: "Models" }).click();
          await guests.getByText("The rules here do not allow it on your device.").first().waitFor();
        });

        // A group by another name keeps its rules.
        await goTo(page, "#/people/groups/staff%20%26%20board");
        await fill(page, "group-name", "Name of the group", "staff");
        await send(page, "group-name");
        await page.waitForURL(/#\/people\/groups\/staff$/);
        await goTo(page, "#/people/groups");
        await page.locator('[data-group="staff"]').getByText("1 person · says 4 things").waitFor();
        assert.deepEqual(await look(page, "house-groups"), []);
      }),
    ),
  );

  it("decides about one person: role, groups, access, deletion", { timeout: 180_000 }, () =>
    withBrowser({ gpu: false }, (one) =>
      withBrowser({ gpu: false }, async (other) => {
        const { page } = await open(one, server.origin);
        const { page: coras } = await open(other, server.origin);
        await account.signIn(page, "anna");
        await joins(page, coras, "cora");
        await goTo(page, "#/people");
        await page.locator('[data-person="cora"]').getByRole("link", { name: "cora" }).click();
        await form(page, "person").waitFor();
        await form(page, "person").getByRole("checkbox", { name: "staff" }).check();
        await form(page, "person").getByRole("combobox", { name: "Role" }).selectOption("guest");
        await send(page, "person");
        await page.locator('[data-effect="models_on_server"]').filter({ hasText: "what guests may" }).waitFor();
        assert.deepEqual(await effect(page, "models_on_device"), { value: "none", from: "what guests may" });
        assert.deepEqual(await look(page, "house-person"), []);
        const { may } = await asks(coras, "GET", "/api/session");
        assert.deepEqual([may.models_on_device, may.models_on_server, may.chats_leave_device], [[], [], false]);

        await page.getByRole("button", { name: "Sign out everywhere" }).click();
        await page.getByText("Signed out on 1 device.").waitFor();
        assert.equal((await asks(coras, "GET", "/api/session")).person, null);
        await page.getByRole("button", { name: "New password" }).click();
        const link = await page.locator("[data-once]").innerText();
        await coras.goto(link);
        await form(coras, "link").getByText("New password", { exact: true }).waitFor();

        // What is asked twice is done by the keyboard, too: the second button has the focus.
        const remove = page.getByRole("button", { name: "Delete cora with all chats and keys" });
        await remove.focus();
        await page.keyboard.press("Enter");
        await page.getByRole("button", { name: "Cancel" }).waitFor();
        await page.keyboard.press("Enter");
        await page.waitForURL(/#\/people$/);
        await page.locator('[data-person="anna"]').waitFor();
        assert.equal(await personOf(page, "cora"), undefined);

        // Whoever administers the house alone stays.
        const anna = await personOf(page, "anna");
        await goTo(page, `#/people/person/${anna.id}`);
        await form(page, "person").getByText("This is you.").waitFor();
        assert.equal(await page.getByRole("button", { name: /^Delete/ }).count(), 0);

        // An invitation that was sent is withdrawn.
        await goTo(page, "#/people");
        await page.locator("[data-invite] > summary").click();
        await fill(page, "invite", "For whom (only you see it)", "Dora");
        await form(page, "invite").getByRole("group", { name: "Member of" }).getByRole("checkbox", { name: "staff" }).check();
        await send(page, "invite");
        const row = page.locator("[data-link]").filter({ hasText: "Dora" });
        await row.getByText(/ · staff$/).waitFor();
        assert.deepEqual(await look(page, "house-people"), []);
        const url = await page.locator("[data-once]").innerText();
        await row.getByRole("button", { name: "Withdraw the link for Dora" }).click();
        await row.getByRole("button", { name: "Withdraw the link for Dora" }).click();
        await row.waitFor({ state: "detached" });
        await coras.goto(url);
        await fault(coras, "link_invalid");
      }),
    ),
  );

  it("tries rules for a sign-in service on a token, in German, before they hold", { timeout: 180_000 }, () =>
    withBrowser({ gpu: false, locale: "de-DE" }, async (context) => {
      const { page } = await open(context, server.origin);
      await account.signIn(page, "anna");
      await goTo(page, "#/people/service");
      await page.locator('[data-condition="oidc-off"]').waitFor();
      await form(page, "oidc").getByLabel("Rolle derer, denen keine Regel eine gibt").selectOption("none");
      await page.getByRole("button", { name: "Regel hinzufügen" }).click();
      const rule = page.getByRole("group", { name: "Regel 1" });
      await rule.getByLabel("Angabe (Claim)").fill("realm_access.roles");
      await rule.getByLabel("hat den Wert").fill("haus-*");
      await rule.getByLabel("gibt die Rolle").selectOption("member");
      await rule.getByLabel("gibt die Gruppen").fill("*, alle-hier");
      const tries = async (token, outcome) => {
        await form(page, "oidc-try").getByLabel("Token oder Claims").fill(token);
        await send(page, "oidc-try");
        await page.locator(`[data-tried="${outcome}"]`).waitFor();
      };
      await tries(JSON.stringify({ sub: "1", realm_access: { roles: ["haus-vorstand", "sonst"] } }), "in");
      await page.getByText("Gruppen: vorstand, alle-hier").waitFor();
      assert.deepEqual(await look(page, "house-service-de"), []);
      await tries(JSON.stringify({ sub: "2", realm_access: { roles: ["sonst"] } }), "out");
      await form(page, "oidc-try").getByLabel("Token oder Claims").fill("kein Token");
      await send(page, "oidc-try");
      await form(page, "oidc-try").locator("[data-error]").waitFor();
      assert.deepEqual((await asks(page, "GET", "/api/people/oidc")).rules, [], "nothing is saved by trying");
      await send(page, "oidc");
      await isSaved(page, "oidc");
      assert.deepEqual(await asks(page, "GET", "/api/people/oidc"), {
        default_role: "none",
        rules: [{ claim: "realm_access.roles", value: "haus-*", role: "member", groups: ["*", "alle-hier"] }],
      });
      await page.reload();
      assert.equal(await rule.getByLabel("hat den Wert").inputValue(), "haus-*");
      await page.getByRole("button", { name: "Regel 1 entfernen" }).click();
      await send(page, "oidc");
      await isSaved(page, "oidc");
    }),
  );

  it("shows who did what, filtered, and saves it as CSV", { timeout: 180_000 }, () =>
    withBrowser({ gpu: false }, async (context) => {
      const { page } = await open(context, server.origin);
      await account.signIn(page, "anna");
      await goTo(page, "#/people/log");
      const lines = page.locator("[data-log] > li");
      await page.locator('[data-action="group_added"]').filter({ hasText: "anna made a group" }).first().waitFor();
      assert.deepEqual(await look(page, "house-log"), []);
      await page.locator('[data-filter="action"]').selectOption("person_deleted");
      await page.locator('[data-action="group_added"]').first().waitFor({ state: "detached" });
      assert.equal(await lines.count(), 1);
      const [file] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("link", { name: "Save as CSV" }).click(),
      ]);
      const csv = (await readFile(await file.path(), "utf8")).trim().split(/\r?\n/);
      assert.match(csv[0], /action/);
      assert.equal(csv.length, 2);
      assert.match(csv[1], /person_deleted/);
      // Nothing of that kind on that day.
      await page.getByLabel("To", { exact: true }).fill("1999-12-31");
      await page.locator('[data-state="log-empty"]').waitFor();
    }),
  );

  it("loses nothing of somebody whose session ends while they work", { timeout: 300_000 }, () =>
    withBrowser({ gpu: false }, (one) =>
      withBrowser({ gpu: false }, async (other) => {
        const { page: admins } = await open(one, server.origin);
        await account.signIn(admins, "anna");
        await asks(admins, "PUT", "/api/policy", { guests: "none", audit_device_use: true });
        const { page } = await open(other, server.origin);
        await joins(admins, page, "dora");
        await page.reload();
        await isShown(page, "dora");
        await person.nextPlaceIs(page, "server");
        await person.ask(page, "What is the capital of Germany?");
        await answered(page);
        const { id } = await personOf(admins, "dora");
        await asks(admins, "POST", `/api/people/${id}/sign-out`, {});
        await person.ask(page, "And of France?");
        await person.answerIs(page, "error");
        const composer = page.getByRole("textbox", { name: "Message" });
        await composer.fill("What I was about to ask");
        const at = page.url();
        await page.getByRole("alert").getByRole("link", { name: "Sign in" }).click();
        await form(page, "sign-in").waitFor();
        await fill(page, "sign-in", "Name", "dora");
        await fill(page, "sign-in", "Password", PASSWORD);
        await send(page, "sign-in");
        await isShown(page, "dora");
        await page.waitForURL(at);
        assert.equal(await composer.inputValue(), "What I was about to ask");
        await page.getByRole("button", { name: "Try again" }).click();
        await answered(page);

        // In the account it is asked for in its place.
        await goTo(page, "#/account");
        await fill(page, "profile", "How others see you (optional)", "Dora D.");
        await send(page, "profile");
        await page.getByText("Saved.", { exact: true }).waitFor();
        await isShown(page, "Dora D.");
        await asks(admins, "POST", `/api/people/${id}/sign-out`, {});
        // Where the page has heard of it by itself, the form is gone already.
        await page.evaluate(() => document.querySelector('[data-form="profile"] [type="submit"]')?.click());
        await form(page, "sign-in").waitFor();
        await fill(page, "sign-in", "Name", "dora");
        await fill(page, "sign-in", "Password", PASSWORD);
        await send(page, "sign-in");
        await form(page, "profile").waitFor();
        assert.match(page.url(), /#\/account$/);
      }),
    ),
  );

  it("counts tokens of a model on the device where the house says so, and nothing else of it", { timeout: 600_000 }, () =>
    withBrowser({}, async (context) => {
      const { page } = await open(context, server.origin);
      await account.signIn(page, "anna");
      await asks(page, "PUT", "/api/policy", { guests: "none", audit_device_use: true });
      await page.reload();
      await isShown(page, "anna");
      await person.loadOffered(page);
      await person.isReady(page);
      await person.answersShortly(page);
      const counted = page.waitForRequest((request) => request.url().endsWith("/api/audit/device-use"));
      await person.ask(page, "Say yes.");
      await answered(page);
      const body = (await counted).postDataJSON();
      assert.deepEqual(Object.keys(body).sort(), ["completion_tokens", "model", "prompt_tokens"]);
      assert.ok(body.completion_tokens > 0 && body.prompt_tokens > 0);
      await goTo(page, "#/people/log");
      await page.locator('[data-action="chat"]').filter({ hasText: "on the device" }).getByText(/\d+ \+ \d+ tokens/).waitFor();
    }),
  );

  it("has the tab show the documents of whoever signed in last", { timeout: 120_000 }, () =>
    withBrowser({ gpu: false }, async (context) => {
      const { page } = await open(context, server.origin);
      await account.signIn(page, "anna");
      for (const [title, file, groups] of [["Board minutes", "minutes.txt", {}], ["House rules", "rules.txt", { read: ["everyone"] }]]) {
        const { id } = await asks(page, "POST", "/api/collections", { title, groups });
        await page.evaluate(
          ([to, body]) => fetch(to, { method: "POST", headers: { "portico-page": "1", "content-type": "text/plain" }, body }),
          [`/api/collections/${id}/documents?name=${file}`, `What stands in ${title}.`],
        );
      }
      const [minutes, rules] = ["minutes.txt", "rules.txt"].map((name) => page.locator("[data-document]").filter({ hasText: name }));
      const [board, house] = ["board-minutes", "house-rules"].map((id) => page.locator(`.collection[data-collection="${id}"]`));
      await goTo(page, "#/documents");
      await board.waitFor();
      await house.waitFor();
      await goTo(page, "#/documents?collection=board-minutes");
      await minutes.waitFor();

      // Somebody else signs in while the list is open.
      await asks(page, "DELETE", "/api/session");
      await asks(page, "POST", "/api/session", { name: "ben", password: PASSWORD });
      await page.evaluate(() => dispatchEvent(new CustomEvent("portico-session")));
      await minutes.waitFor({ state: "detached" });
      await fault(page, "collection_not_found");
      await goTo(page, "#/documents");
      await house.waitFor();
      assert.equal(await board.count(), 0);
      await goTo(page, "#/documents?collection=house-rules");
      await rules.waitFor();

      // And back, by the forms.
      await goTo(page, "#/account");
      await page.getByRole("button", { name: "Sign out", exact: true }).click();
      await form(page, "sign-in").waitFor();
      await account.signIn(page, "anna");
      await goTo(page, "#/documents");
      await board.waitFor();
    }),
  );

  it("is fetched when an administrator first opens it, and can be asked for again", { timeout: 120_000 }, () =>
    withBrowser({ gpu: false, serviceWorkers: "block" }, async (context) => {
      const { page } = await open(context, server.origin);
      const wrong = [];
      await account.signIn(page, "anna");
      await goTo(page, "#/account");
      await form(page, "profile").waitFor();
      assert.equal(await fetchesOfHouse(page), 0);
      await context.route("**/house_bg.wasm", (route) => route.abort());
      await goTo(page, "#/people/groups");
      await page.locator('[data-condition="house-failed"]').waitFor();
      wrong.push(...(await look(page, "house-failed")));
      await context.unroute("**/house_bg.wasm");
      await page.getByRole("button", { name: "Try again" }).click();
      await form(page, "group").waitFor();
      assert.equal(await page.locator('[data-condition="house-failed"]').count(), 0);
      const n = await fetchesOfHouse(page);
      // It speaks the page's language, and gives its place to the account.
      await speaks(page, "de");
      await page.getByRole("heading", { name: "Gruppen" }).waitFor();
      await goTo(page, "#/account");
      await form(page, "profile").waitFor();
      assert.equal(await page.locator(".library-scroll:visible").count(), 1);
      await goTo(page, "#/people/overview");
      await page.getByRole("heading", { name: "Überblick" }).waitFor();
      assert.equal(await page.locator(".library-scroll:visible").count(), 1);
      assert.equal(await fetchesOfHouse(page), n);
      // Whoever is signed out is asked who they are, in its place.
      await asks(page, "DELETE", "/api/session");
      await page.evaluate(() => dispatchEvent(new CustomEvent("portico-session")));
      await form(page, "sign-in").waitFor();
      assert.equal(await page.getByRole("heading", { name: "Überblick" }).count(), 0);
      await account.signIn(page, "anna");
      await page.getByRole("heading", { name: "Überblick" }).waitFor();
      assert.deepEqual(wrong, []);
    }),
  );

  it("is reached by the keyboard alone, and guessing is slowed down", { timeout: 180_000 }, () =>
    withBrowser({ gpu: false }, async (context) => {
      const { page } = await open(context, `${server.origin}/#/sign-in`);
      await form(page, "sign-in").waitFor();
      const focused = () => page.evaluate(() => document.activeElement?.getAttribute("autocomplete"));
      const tabTo = async (wanted) => {
        for (let n = 0; (await focused()) !== wanted; n++) {
          assert.ok(n < 40, `${wanted} is not reached`);
          await page.keyboard.press("Tab");
        }
      };
      await tabTo("username");
      await page.keyboard.type("ben");
      await tabTo("current-password");
      await page.keyboard.type(PASSWORD);
      await page.keyboard.press("Enter");
      await isShown(page, "ben");
      await goTo(page, "#/people/log");
      await page.locator('[data-condition="admins-only"]').waitFor();
      assert.equal(await fetchesOfHouse(page), 0);

      await asks(page, "DELETE", "/api/session");
      for (let n = 0; n < 6; n++) {
        await page.evaluate(() => fetch("/api/session", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ name: "ben", password: "falsch geraten" }) }));
      }
      await page.goto(`${server.origin}/#/sign-in`);
      await page.reload();
      await fill(page, "sign-in", "Name", "ben");
      await fill(page, "sign-in", "Password", PASSWORD);
      await send(page, "sign-in");
      await fault(page, "too_many_attempts");
      assert.deepEqual(await look(page, "people-too-many"), []);
    }),
  );
});
