// Assistants: made in the gallery, tried out, used in a conversation. What they say reaches the model, what
// becomes of them is said, and the conversation outlives them.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { signUp } from "../lib/account.mjs";
import { open, withBrowser } from "../lib/browser.mjs";
import { freshData } from "../lib/files.mjs";
import { look } from "../lib/look.mjs";
import { form, fill, send } from "../lib/people.mjs";
import * as person from "../lib/person.mjs";
import { startServer } from "../lib/server.mjs";
import { MODEL } from "../lib/settings.mjs";
import { says, startUpstream } from "../lib/upstream.mjs";

const RULE = "Answer every question as a friendly clerk.";
const FACT = "The town library is open from nine to seven on weekdays.";
const QUESTION = "When is the town library open on weekdays?";

/** A request of the page's own, with the session. */
const asks = (page, method, path, body, type = "application/json") =>
  page.evaluate(
    async ([method, path, body, type]) => {
      const answer = await fetch(path, { method, headers: { "content-type": type }, body });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return answer.status === 204 ? undefined : answer.json();
    },
    [method, path, body === undefined || typeof body === "string" ? body : JSON.stringify(body), type],
  );

const goTo = (page, hash) => page.evaluate((hash) => (location.hash = hash), hash);
const systemOf = (request) => request.messages.find((message) => message.role === "system")?.content;
const answered = async (page, question) => {
  await person.ask(page, question);
  await person.answerIs(page, "done");
};

describe("assistants", () => {
  let upstream, server, folder;
  before(async () => {
    upstream = await startUpstream(() => says("Gladly: from nine to seven."));
    folder = await mkdtemp(join(tmpdir(), "portico-assistants-"));
    await writeFile(
      join(folder, "portico.toml"),
      `[[upstreams]]\nid = "fleet"\nurl = "${upstream.url}"\n[[models]]\nid = "script"\nendpoints = [{ upstream = "fleet" }]\n`,
    );
    server = await startServer({ data: folder, env: { PORTICO_DOCUMENTS_EMBEDDER: "none" } });
  });
  after(async () => {
    await server?.stop();
    await upstream?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it("are made, used, changed and outlived", { timeout: 180_000 }, () =>
    withBrowser({ gpu: false }, async (context) => {
      const { page, complaints } = await open(context, server.origin);
      await signUp(page, folder, "ada");
      await asks(page, "POST", "/api/collections", { title: "Town", id: "town", embedder: "none" });
      await asks(page, "POST", "/api/collections/town/documents?name=library.txt", FACT, "text/plain");
      await goTo(page, "#/assistants");
      await page.locator('[data-state="no-assistants"]').waitFor();

      // By the keyboard alone.
      await page.getByRole("link", { name: "New assistant" }).press("Enter");
      await form(page, "assistant").getByLabel("Name", { exact: true }).press("Enter");
      await page.locator('[data-field="name"]').waitFor();
      await fill(page, "assistant", "Name", "Clerk");
      await fill(page, "assistant", "What it is for, in a sentence", "Knows the town’s opening hours.");
      await fill(page, "assistant", "Instructions to the model", RULE);
      await form(page, "assistant").getByLabel("Town").press("Space");
      await form(page, "assistant").getByLabel("Calculator").press("Space");
      await fill(page, "assistant", "Question 1", QUESTION);
      assert.deepEqual(await look(page, "assistant-editor"), []);
      await form(page, "try-out").getByLabel("A question").fill(QUESTION);
      await form(page, "try-out").getByLabel("A question").press("Enter");
      await page.locator("[data-tried]", { hasText: "from nine to seven" }).waitFor();
      assert.ok(systemOf(upstream.asked.at(-1)).includes(RULE));
      await send(page, "assistant");
      await page.waitForURL(/#\/assistants\/[0-9a-f-]{36}$/);
      const id = page.url().split("/").at(-1);
      const path = `/api/assistants/${id}`;

      // A file takes it along and brings it back as a draft.
      const coming = page.waitForEvent("download");
      await page.getByRole("button", { name: "Export as JSON" }).click();
      const download = await coming;
      assert.equal(download.suggestedFilename(), "clerk.json");
      const file = await readFile(await download.path());
      await goTo(page, "#/assistants");
      await page.locator(`[data-assistant="${id}"]`).waitFor();
      assert.deepEqual(await look(page, "assistants"), []);
      await page.locator('[data-choose="assistant"]').setInputFiles({ name: "a.json", mimeType: "application/json", buffer: Buffer.from("[]") });
      await page.getByText("This file is no assistant of Portico.").waitFor();
      await page.locator('[data-choose="assistant"]').setInputFiles({ name: "clerk.json", mimeType: "application/json", buffer: file });
      await page.waitForURL(/#\/assistants\/new$/);
      assert.equal(await form(page, "assistant").getByLabel("Instructions to the model").inputValue(), RULE);

      // A conversation begins with it: instructions, documents and tools are in the request.
      await goTo(page, "#/assistants");
      await page.getByRole("button", { name: "Chat: Clerk" }).click();
      const chip = page.locator(".assistant-chip", { hasText: "Clerk" });
      await chip.waitFor();
      await person.nextPlaceIs(page, "server");
      assert.deepEqual(await look(page, "assistant-begins"), []);
      await page.getByRole("button", { name: "Go on without" }).click();
      await chip.waitFor({ state: "detached" });
      assert.deepEqual(await look(page, "assistants-home"), []);
      await page.locator("#composer-input").press("@");
      await page.getByRole("radio", { name: "none" }).press("ArrowDown");
      await chip.waitFor();
      await page.getByRole("radio", { name: "Clerk" }).press("Enter");
      assert.ok(await page.locator("#composer-input").evaluate((box) => box === document.activeElement && box.value === ""));
      await answered(page, QUESTION);
      const first = upstream.asked.at(-1);
      assert.ok(systemOf(first).includes(RULE), JSON.stringify(first));
      assert.ok(first.messages.at(-1).content.includes(FACT), JSON.stringify(first));
      assert.ok(first.tools.some((tool) => tool.function.name === "calculator"));
      await page.reload();
      await chip.waitFor();

      // Changed: said once, and the next answer has it.
      const changed = { name: "Clerk", instructions: "Answer in one word.", may_stand_in: false };
      await asks(page, "PUT", path, { definition: changed, revision: 1 });
      await page.reload();
      await person.conditionIs(page, "assistant-changed");
      assert.deepEqual(await look(page, "assistant-changed"), []);
      await page.getByRole("button", { name: "Understood" }).click();
      await page.locator('[data-condition="assistant-changed"]').waitFor({ state: "detached" });
      await answered(page, "And on Sunday?");
      assert.equal(systemOf(upstream.asked.at(-1)), "Answer in one word.");
      await page.getByRole("button", { name: /^(Regenerate|Another answer|Answer again|Try again)/ }).last().click();
      await person.answerIs(page, "done");
      assert.equal(systemOf(upstream.asked.at(-1)), "Answer in one word.");

      // A model that is not there: another stands in only where it may.
      await asks(page, "PUT", path, { definition: { ...changed, model: "elsewhere" }, revision: 2 });
      await page.reload();
      await person.conditionIs(page, "assistant-model-missing");
      await asks(page, "PUT", path, { definition: { ...changed, model: "elsewhere", may_stand_in: true }, revision: 3 });
      await page.reload();
      await person.conditionIs(page, "assistant-stands-in");
      await answered(page, "And on Monday?");

      // The list of the last visit is enough without the server's answer.
      await context.route("**/api/assistants", (route) => route.abort());
      await page.reload();
      await chip.waitFor();
      await context.unroute("**/api/assistants");

      await asks(page, "DELETE", path);
      await page.reload();
      await person.conditionIs(page, "assistant-gone");
      await answered(page, "And today?");
      assert.equal(systemOf(upstream.asked.at(-1)), undefined);
      assert.deepEqual(await look(page, "assistant-gone"), []);
      await page.getByRole("button", { name: "Go on without" }).click();
      await page.locator('[data-condition="assistant-gone"]').waitFor({ state: "detached" });

      // Who uses one that another made reads it, without what that one hides.
      const hidden = { name: "Wise", description: "For everybody.", instructions: "A riddle.", hides_instructions: true, tools: ["date"] };
      const wise = await asks(page, "POST", "/api/assistants", { definition: hidden, for_house: true });
      const { url } = await asks(page, "POST", "/api/people/links", { role: "member" });
      const secret = url.split("/#/link/")[1];
      await asks(page, "POST", "/api/links/open", { secret, name: "ben", password: "fünf Bären im Schnee" });
      await page.evaluate(() => dispatchEvent(new CustomEvent("portico-session")));
      await goTo(page, `#/assistants/${wise.id}`);
      await page.getByText("Its maker does not show them.").waitFor();
      assert.equal(await page.getByText("A riddle.").count(), 0);
      assert.equal(await form(page, "assistant").count(), 0);
      assert.deepEqual(await look(page, "assistant-of-another"), []);

      const errors = complaints.errors.filter((text) => !/ERR_FAILED/.test(text));
      assert.deepEqual({ ...complaints, errors }, { errors: [], csp: [], foreign: [] });
    }),
  );

  it("answer on the device with the model that they ask for, and with no other", { timeout: 400_000 }, async () => {
    const data = await freshData();
    const own = await startServer({ data: data.folder });
    try {
      await withBrowser({}, async (context) => {
        // What the page asks of its worker.
        await context.addInitScript(() => {
          const post = Worker.prototype.postMessage;
          window.posted = [];
          Worker.prototype.postMessage = function (message, ...more) {
            window.posted.push(typeof message === "string" ? message : JSON.stringify(message));
            return post.call(this, message, ...more);
          };
        });
        const { page, complaints } = await open(context, own.origin);
        await signUp(page, data.folder, "ada");
        const definition = { name: "Clerk", instructions: RULE, model: MODEL, may_stand_in: false };
        await asks(page, "POST", "/api/assistants", { definition });
        await goTo(page, "#/assistants");
        await page.getByRole("button", { name: "Chat: Clerk" }).click();
        await person.choosesPlace(page, "device");
        await person.conditionIs(page, "assistant-model-missing");
        await page.locator('[data-condition="assistant-model-missing"]').getByRole("button", { name: /^Load / }).click();
        await person.nextPlaceIs(page, "device");
        await person.ask(page, "Good morning!");
        await person.answerIs(page, "streaming");
        await person.stopIfGoing(page);
        await page.locator('[data-role="assistant"][data-state="stopped"], [data-role="assistant"][data-state="done"]').waitFor();
        const posted = await page.evaluate((rule) => window.posted.some((message) => message.includes(rule)), RULE);
        assert.ok(posted, "the worker was not given the instructions");
        assert.deepEqual(complaints, { errors: [], csp: [], foreign: [] });
      });
    } finally {
      await own.stop();
      await data.remove();
    }
  });
});
