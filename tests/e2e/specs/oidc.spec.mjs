// Signing in and out by another service, with the page's own button, in a real browser.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { signUp } from "../lib/account.mjs";
import { open, withBrowser } from "../lib/browser.mjs";
import { freshData } from "../lib/files.mjs";
import { look } from "../lib/look.mjs";
import { CLIENT, SECRET, freePort, startProvider } from "../lib/oidc.mjs";
import { isShown } from "../lib/people.mjs";
import { startServer } from "../lib/server.mjs";

describe("another service's sign-in", () => {
  let data;
  let server;
  let provider;
  before(async () => {
    data = await freshData();
    const port = await freePort();
    provider = await startProvider(`http://127.0.0.1:${port}`);
    await writeFile(join(data.folder, "secret"), SECRET);
    const config = ["[people.oidc]", `issuer = "${provider.issuer}"`, `client_id = "${CLIENT}"`, 'client_secret = { file = "secret" }', 'label = "House login"'];
    await writeFile(join(data.folder, "portico.toml"), `${config.join("\n")}\n`);
    server = await startServer({ data: data.folder, port });
  });
  after(async () => {
    await server?.stop();
    provider?.stop();
    await data?.remove();
  });

  it("is a button away, and signing out here signs out there", { timeout: 120_000 }, () =>
    withBrowser({ gpu: false }, (one) =>
      withBrowser({ gpu: false }, async (other) => {
        const { page: first } = await open(one, server.origin);
        await signUp(first, data.folder, "root");
        const { page, complaints } = await open(other, `${server.origin}/#/sign-in`);
        const button = page.getByRole("link", { name: "House login" });
        await button.waitFor();
        assert.deepEqual(await look(page, "people-sign-in-service"), []);
        assert.deepEqual(complaints, { errors: [], csp: [], foreign: [] });
        await button.click();
        await page.locator('input[name="login"]').fill("mia");
        await page.locator('input[name="password"]').fill("anything");
        await page.locator('button[type="submit"]').click();
        // What the house may know.
        await page.getByRole("button", { name: "Continue" }).click();
        await page.waitForURL(`${server.origin}/**`);
        await isShown(page, "mia");

        await page.goto(`${server.origin}/#/account`);
        await page.getByRole("button", { name: "Sign out", exact: true }).click();
        await page.getByRole("button", { name: /^Yes/ }).click();
        await page.waitForURL(`${server.origin}/**`);
        const here = await page.evaluate(() => fetch("/api/session").then((answer) => answer.json()));
        assert.equal(here.person, null);

        // Whoever says no there is told here what became of it.
        await page.goto(`${server.origin}/#/sign-in`);
        await page.getByRole("link", { name: "House login" }).click();
        await page.getByRole("link", { name: /Cancel/ }).click();
        await page.locator('[data-error="oidc_code_refused"]').waitFor();
        assert.deepEqual(await look(page, "people-sign-in-service-refused"), []);
      }),
    ),
  );
});
