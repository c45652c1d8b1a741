// The house's name, colour and logo: chosen by an administrator, seen by everybody, also without the server.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { signUp } from "../lib/account.mjs";
import { open, withBrowser } from "../lib/browser.mjs";
import { freshData } from "../lib/files.mjs";
import { look } from "../lib/look.mjs";
import { form, isSaved, send } from "../lib/people.mjs";
import { startServer } from "../lib/server.mjs";

const LOGO = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 10 10'><circle cx='5' cy='5' r='5' fill='#a00'/></svg>";

/** The accent of the theme that is shown. */
const accent = (page) => page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--accent").trim());

describe("the house's look", () => {
  let data;
  let server;
  before(async () => {
    data = await freshData();
    server = await startServer({ data: data.folder });
    await writeFile(join(data.folder, "logo.svg"), LOGO);
  });
  after(async () => {
    await server?.stop();
    await data?.remove();
  });

  it("is chosen on the page, readable whatever the colour, and kept for work without the server", { timeout: 180_000 }, () =>
    withBrowser({ gpu: false }, (one) =>
      withBrowser({ gpu: false }, async (other) => {
        const { page, complaints } = await open(one, server.origin);
        await page.emulateMedia({ colorScheme: "light" });
        const own = await accent(page);
        await signUp(page, data.folder, "anna");
        await page.goto(`${server.origin}/#/people/look`);
        await form(page, "look").getByLabel("Name of the house").fill("Stadt Musterhausen");
        await form(page, "look").getByLabel("A colour of our own").check();
        // Yellow: cannot be read on white, and is made darker there.
        await form(page, "look").locator('input[type="color"]').fill("#ffd400");
        await send(page, "look");
        await isSaved(page, "look");
        await page.locator(".brand").filter({ hasText: "Stadt Musterhausen" }).waitFor({ state: "attached" });
        await page.waitForFunction((own) => getComputedStyle(document.documentElement).getPropertyValue("--accent").trim() !== own, own);
        assert.notEqual(await accent(page), "#ffd400");
        await page.emulateMedia({ colorScheme: "dark" });
        assert.equal(await accent(page), "#ffd400");

        await page.locator('[data-choose="logo"]').setInputFiles({ name: "a.png", mimeType: "image/png", buffer: Buffer.from("no picture") });
        await form(page, "logo").locator('[data-error="invalid_request"]').waitFor();
        await page.locator('[data-choose="logo"]').setInputFiles(join(data.folder, "logo.svg"));
        await page.locator(".brand img").waitFor({ state: "attached" });
        assert.deepEqual(await look(page, "people-look"), []);
        assert.deepEqual({ ...complaints, errors: complaints.errors.filter((line) => !/400/.test(line)) }, { errors: [], csp: [], foreign: [] });

        // Somebody else, who is not signed in; and again without the server.
        const { page: guest } = await open(other, server.origin);
        await guest.waitForFunction(() => document.title === "Stadt Musterhausen");
        await guest.emulateMedia({ colorScheme: "dark" });
        assert.equal(await accent(guest), "#ffd400");
        assert.deepEqual(await look(guest, "house-look"), []);
        await guest.waitForFunction(() => navigator.serviceWorker.controller);
        await guest.reload();
        await guest.locator(".brand img").evaluate((image) => image.decode());
        await server.stop();
        await guest.reload();
        await guest.emulateMedia({ colorScheme: "dark" });
        await guest.locator(".brand").filter({ hasText: "Stadt Musterhausen" }).waitFor({ state: "attached" });
        assert.equal(await accent(guest), "#ffd400");
        assert.ok(await guest.locator(".brand img").evaluate((image) => image.decode().then(() => image.naturalWidth > 0)));
      }),
    ),
  );
});
