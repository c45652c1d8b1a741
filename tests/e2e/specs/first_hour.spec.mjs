// The first hour of a house at its page, from the link that the server prints: each step turns to done once
// the house has what it is about. Models are fetched from a hub on this machine, a server of tools is added.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as account from "../lib/account.mjs";
import { open, withBrowser } from "../lib/browser.mjs";
import { startHub } from "../lib/hub.mjs";
import * as library from "../lib/library.mjs";
import { look } from "../lib/look.mjs";
import { fault, fill, form, isShown, send } from "../lib/people.mjs";
import { startServer } from "../lib/server.mjs";
import * as settings from "../lib/settings.mjs";

const EVERYTHING = fileURLToPath(import.meta.resolve("@modelcontextprotocol/server-everything/dist/index.js"));
const PASSWORD = "vier lila Kraniche am Wehr 77";
const FILE = "SmolLM2-135M-Instruct.Q4_1.gguf";

const step = (page, id, state) => page.locator(`[data-step="${id}"][data-state="${state}"]`);
const model = (page) => page.locator('[data-model="tiny"]');
const jobIs = (page, state) => page.locator(`[data-job="${state}"]`).waitFor({ timeout: 60_000 });
const asks = (page, method, path, body) =>
  page.evaluate(
    async ([how, to, what]) => {
      const headers = { "content-type": "application/json" };
      const answer = await fetch(to, { method: how, headers, body: JSON.stringify(what) });
      if (!answer.ok) throw new Error(`${to}: ${answer.status} ${await answer.text()}`);
    },
    [method, path, body],
  );

async function overview(page) {
  await library.goTo(page, "#/people/overview");
  await page.locator("[data-first-hour] [data-step]").first().waitFor();
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("the first hour", () => {
  let folder, hub, remote, server, tools;
  before(async () => {
    const file = join(settings.data(), "models", settings.MODEL, FILE);
    const { size } = await stat(file);
    hub = await startHub(file);
    folder = await mkdtemp(join(tmpdir(), "portico-first-"));
    await writeFile(
      join(folder, "models.toml"),
      `hub_url = "${hub.url}"\n[[models]]\nid = "tiny"\nname = "Tiny 135M"\nkind = "chat"\narchitecture = "llama"\nformat = "gguf"\n` +
        `quantisation = "Q4_1"\nparameters = 134515008\nn_ctx = 8192\nkv_bytes_per_token = 23040\nlanguages = ["en", "de"]\n` +
        `licence = { id = "LicenseRef-Tiny", name = "Tiny Terms of Use", url = "https://tiny.example/terms" }\n` +
        `runs_in = ["browser", "server"]\nfiles = [{ name = "${FILE}", size_bytes = ${size} }]\n` +
        `[[models.sources]]\ntype = "hub"\nrepo = "owner/tiny"\n`,
    );
    const port = await freePort();
    remote = spawn(process.execPath, [EVERYTHING, "streamableHttp"], { env: { ...process.env, PORT: String(port) }, stdio: "ignore" });
    tools = `http://127.0.0.1:${port}/mcp`;
    server = await startServer({ data: folder });
  });
  after(async () => {
    await server?.stop();
    remote?.kill();
    await hub?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it("leads from the first link through every step", { timeout: 180_000 }, () =>
    withBrowser({ gpu: false }, async (context) => {
      const { page } = await open(context, `${server.origin}/#/link/${await account.adminLink(folder)}`);
      page.setDefaultTimeout(40_000);
      await fill(page, "link", "Name for signing in", "anna");
      await fill(page, "link", "New password", PASSWORD);
      await send(page, "link");
      await isShown(page, "anna");
      await library.goTo(page, "#/");
      await page.getByRole("link", { name: "Set up this house: 1 of 7 done" }).click();
      await page.locator("[data-first-hour] [data-step]").first().waitFor();
      await step(page, "admin", "done").waitFor();
      for (const id of ["models", "documents", "invite", "sign_in", "limits", "backup"]) await step(page, id, "open").waitFor();
      assert.deepEqual(await look(page, "first-hour"), []);

      // Terms first; then it is fetched, stopped, and taken up where it stopped.
      await step(page, "models", "open").getByRole("link").click();
      await model(page).and(page.locator('[data-presence="absent"]')).waitFor();
      const pull = model(page).getByRole("button", { name: "Fetch Tiny 135M" });
      assert.equal(await pull.isDisabled(), true);
      assert.deepEqual(await look(page, "models-none"), []);
      hub.pace(40);
      await model(page).getByRole("checkbox").check();
      await pull.click();
      await jobIs(page, "running");
      await page.getByText(/\sof\s.*· about .*\sleft$/).waitFor();
      assert.deepEqual(await look(page, "models-fetching"), []);
      await page.getByRole("button", { name: "Stop", exact: true }).click();
      await jobIs(page, "cancelled");
      await model(page).and(page.locator('[data-presence="part"]')).waitFor();
      await model(page).getByText("Tiny Terms of Use, accepted by anna").waitFor();
      hub.pace(0);
      await pull.click();
      await jobIs(page, "done");
      assert.match(hub.ranges.at(-1), /^bytes=[1-9]\d{5,}-$/);
      await page.locator('[data-models="here"]').and(page.locator(':has([data-model="tiny"])')).waitFor();
      await model(page).getByRole("button", { name: "Check Tiny 135M" }).click();
      await page.getByText("tiny is as it should be.").waitFor();
      await form(page, "first-models").getByLabel("Model for chats").selectOption("tiny");
      await page.getByText("Saved.", { exact: true }).waitFor();
      assert.deepEqual(await look(page, "models-here"), []);
      await page.locator('[data-choose="model"]').setInputFiles({ name: "broken.gguf", mimeType: "", buffer: Buffer.from("no model") });
      await fault(page, "model_invalid");

      await library.goTo(page, "#/documents");
      await library.createCollection(page, "House rules");
      const paper = join(folder, "rules.txt");
      await writeFile(paper, "The house closes at ten in the evening, on Sundays at eight.\n");
      await library.addFiles(page, [paper]);
      await library.documentIs(page, "rules.txt", "ready");
      await asks(page, "POST", "/api/people/links", { note: "Ben", groups: [] });
      await asks(page, "PUT", "/api/policy", { guests: "device", rules: { tokens_per_day: 100_000 } });
      await promisify(execFile)(settings.portico(), ["--data", folder, "backup", "--to", join(folder, "backups")]);
      await overview(page);
      for (const id of ["admin", "models", "documents", "invite", "limits", "backup"]) await step(page, id, "done").waitFor();
      await page.getByRole("button", { name: "Put aside: Connect a sign-in service" }).click();
      await step(page, "sign_in", "aside").waitFor();
      await page.getByText("All is done. The house is ready.").waitFor();
      assert.deepEqual(await look(page, "first-hour-done"), []);
      await page.getByRole("button", { name: "Don’t show this any more" }).click();
      await page.locator("[data-first-hour]:has([data-step])").waitFor({ state: "detached" });
      await library.goTo(page, "#/");
      await page.getByRole("link", { name: /^Set up this house/ }).waitFor({ state: "detached" });
    }),
  );

  it("adds a server of tools, with a secret that is not shown again, and switches it off", { timeout: 120_000 }, () =>
    withBrowser({ gpu: false }, async (context) => {
      const { page } = await open(context, server.origin);
      page.setDefaultTimeout(40_000);
      await account.signUp(page, folder, "carl");
      await page.goto(`${server.origin}/#/people/tools`);
      await page.reload();
      await page.locator('[data-do="add-server"]').click();
      const label = { id: "Short name (its tools are called name.tool)", private: "It may lie on this server’s machine or in a private network" };
      await fill(page, "tool-server", label.id, "far");
      await fill(page, "tool-server", "Address", tools);
      await form(page, "tool-server").getByText("Secrets", { exact: true }).click();
      await fill(page, "tool-server", "Value", "Bearer s3cret");
      await send(page, "tool-server");
      await fault(page, "address_private");
      assert.deepEqual(await look(page, "tool-server-new"), []);
      await form(page, "tool-server").getByLabel(label.private).check();
      await send(page, "tool-server");
      const row = page.locator('[data-server="far"]');
      await row.and(page.locator('[data-open="true"]')).waitFor();
      await row.getByText(/^\d+ tools$/).click();
      await row.getByText("far.get-sum").waitFor();

      await row.getByRole("button", { name: "Change “far”" }).click();
      await form(page, "tool-server").getByText("Secrets", { exact: true }).click();
      await row.locator('[data-secret="authorization"]').waitFor();
      assert.ok(!(await page.content()).includes("s3cret"));
      await form(page, "tool-server").getByText("Its tools", { exact: true }).click();
      await row.locator('[data-tool="get-sum"] select').selectOption("denied");
      assert.deepEqual(await look(page, "tool-server"), []);
      await send(page, "tool-server");
      await row.getByText("Not offered").first().waitFor({ state: "attached" });

      // Whoever chats is offered what is on, and nothing once it is off.
      const offered = () => page.evaluate(() => fetch("/api/tools").then((answer) => answer.json()).then(({ tools }) => tools.map((tool) => tool.id)));
      assert.ok((await offered()).includes("far.echo") && !(await offered()).includes("far.get-sum"));
      await row.getByRole("button", { name: "Change “far”" }).click();
      await form(page, "tool-server").getByLabel("Its tools are offered").uncheck();
      await send(page, "tool-server");
      await row.and(page.locator('[data-on="false"]')).waitFor();
      assert.ok(!(await offered()).some((id) => id.startsWith("far.")));
      await row.getByRole("button", { name: /^(Remove|Remove “far”)$/ }).click();
      await row.getByRole("button", { name: "Remove “far”" }).last().click();
      await row.waitFor({ state: "detached" });
    }),
  );
});
