// Files that lay on the server before encryption was turned on, by a device that never opened them: none is lost,
// whatever breaks off in between, and none goes before its encrypted twin is there.

import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import * as account from "../lib/account.mjs";
import { open, withBrowser } from "../lib/browser.mjs";
import { freshData } from "../lib/files.mjs";
import { look } from "../lib/look.mjs";
import * as person from "../lib/person.mjs";
import { filesWith } from "../lib/plain.mjs";
import { startProxy } from "../lib/proxy.mjs";
import {
  asks,
  downloaded,
  lockIs,
  NOTHING,
  openRow,
  picture,
  press,
  sha256,
  storedFile,
  toEncryption,
  turnsOn,
  unlocks,
} from "../lib/sealed.mjs";
import { startServer } from "../lib/server.mjs";

const PASSPHRASE = "Zwölf Kraniche über dem Wehr";
const note = (name, text) => ({ name, mimeType: "text/plain", buffer: Buffer.from(text) });
const NOTE = note("Mirabellenbrief.txt", "Auf dem Speicher liegt der Schlehenwein.");
const PHOTO = { name: "Mispelbild.png", mimeType: "image/png", buffer: picture("Kornelkirschengrund ", 3_300_000) };
/** Damaged on the server, and gone from there. */
const DAMAGED = note("Quittenliste.txt", "Im Keller steht das Quittengelee vom letzten Jahr.");
const LOST = note("Holunderliste.txt", "Der Holundersaft ist ausgetrunken, es bleibt der Schlehenwein.");
const LATER_TEXT = "Im Schuppen hängen die Berberitzen.";
const LATER = note("Berberitzenliste.txt", LATER_TEXT);

/** Waits until the account says that so many files are left. */
const leftAre = (page, n) => page.locator(`[data-plain-files="${n}"]`).waitFor();
const isAt = (page, state) => page.locator(`[data-plain="${state}"]`).waitFor();
const stuck = (page, { name }) => page.locator("[data-stuck]").filter({ hasText: name });

/** Waits until nothing is left to be encrypted. */
async function noneIsLeft(page) {
  await page.getByText("The server has only what it cannot read").waitFor();
  const listed = await page.evaluate(async () => (await fetch("/api/attachments/plain")).json());
  assert.deepEqual(listed, { files: [] });
}

describe("files from before encryption", () => {
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

  it("that only the server has are encrypted before they go", { timeout: 300_000 }, () =>
    withBrowser({ gpu: false }, (one) =>
      withBrowser({ gpu: false }, async (other) => {
        const { origin, port } = server;
        const { page: writes } = await open(one, origin);
        await account.signUp(writes, data.folder, "anna");
        for (const file of [NOTE, PHOTO, DAMAGED, LOST]) {
          await asks(writes, `Keep ${file.name}.`, file);
          const path = `/api/attachments/${sha256(file.buffer)}/file`;
          await writes.waitForFunction((at) => fetch(at).then(({ ok }) => ok), path);
        }
        await writes.close();
        const damaged = await storedFile(data.folder, DAMAGED.buffer.length);
        await writeFile(damaged, (await readFile(damaged)).map((byte, at) => (at === 7 ? byte ^ 1 : byte)));
        await rm(await storedFile(data.folder, LOST.buffer.length));

        // The line breaks within the picture, whenever it is asked for.
        let isBroken = true;
        const line = await startProxy(origin, ({ headers }) => ({ refuse: isBroken && headers.range?.startsWith("bytes=2097152-") }));
        const { page: turns } = await open(other, line.origin);
        await account.signIn(turns, "anna");
        await account.syncIs(turns, "synced");
        await toEncryption(turns, line.origin, "plain");
        await turnsOn(turns, PASSPHRASE);
        await turns.locator('[data-plain="waits"][data-error="server_unreachable"]').waitFor();
        assert.deepEqual(await look(turns, "encryption-files"), []);
        await press(turns, "Pause");
        await isAt(turns, "paused");
        await storedFile(data.folder, PHOTO.buffer.length);
        await turns.reload();
        await isAt(turns, "paused");
        await account.syncIs(turns, "refused");
        await press(turns, "Go on");
        await turns.locator('[data-plain="waits"][data-error="server_unreachable"]').waitFor();
        // The page is closed in the midst of it, and the server killed.
        await turns.close();
        await server.kill();
        await storedFile(data.folder, PHOTO.buffer.length);
        server = await startServer({ data: data.folder, port });
        isBroken = false;

        // It goes on where it stopped, without being asked to, and names what it cannot do.
        const { page: goes } = await open(other, line.origin);
        await toEncryption(goes, line.origin, "open");
        await leftAre(goes, 2);
        await stuck(goes, DAMAGED).and(goes.locator('[data-stuck="digest_mismatch"]')).waitFor();
        await stuck(goes, LOST).waitFor();
        assert.deepEqual(await look(goes, "encryption-files-stuck"), []);
        await account.syncIs(goes, "refused");
        const fetches = (from) => line.sent.filter(({ head }) => head.includes(sha256(PHOTO.buffer)) && head.includes(`bytes=${from}-`));
        assert.deepEqual([0, 1 << 20].map((from) => fetches(from).length), [1, 1], "what came is not fetched again");
        for (const text of [NOTE.name, PHOTO.name, "Kornelkirschengrund"]) {
          assert.deepEqual(await filesWith(data.folder, text), NOTHING, text);
        }
        assert.equal(await storedFile(data.folder, DAMAGED.buffer.length), damaged, "it is not thrown away");

        // The person lets one go.
        const gone = stuck(goes, LOST);
        await gone.getByRole("button", { name: `Delete from the server for good: ${LOST.name}` }).click();
        await gone.getByRole("button", { name: `Delete from the server for good: ${LOST.name}` }).click();
        await gone.waitFor({ state: "detached" });
        await leftAre(goes, 1);

        // The device that has the other one itself encrypts it.
        const { page: returns } = await open(one, origin);
        await account.syncIs(returns, "locked");
        await toEncryption(returns, origin, "locked");
        await unlocks(returns, "Passphrase", PASSPHRASE);
        await lockIs(returns, "open");
        await noneIsLeft(returns);
        await press(goes, "Try again");
        await noneIsLeft(goes);
        await account.syncIs(goes, "synced");
        for (const text of ["Schlehenwein", "Quittengelee", "Kornelkirschengrund"]) {
          assert.deepEqual(await filesWith(data.folder, text), NOTHING, text);
        }

        // All of it is read, on the device that sent it and on a new one.
        await withBrowser({ gpu: false }, async (fresh) => {
          const { page: reads } = await open(fresh, origin);
          await account.signIn(reads, "anna");
          await account.syncIs(reads, "locked");
          await toEncryption(reads, origin, "locked");
          await unlocks(reads, "Passphrase", PASSPHRASE);
          await lockIs(reads, "open");
          await account.syncIs(reads, "synced");
          for (const page of [reads, returns]) {
            for (const file of [NOTE, PHOTO, DAMAGED]) {
              await openRow(page, file.name);
              await person.hasEnded(page);
              assert.ok((await downloaded(page, file)).equals(file.buffer), file.name);
            }
          }
        });
        await line.close();
      }),
    ));

  it("are read as they are until then", { timeout: 120_000 }, () =>
    withBrowser({ gpu: false }, async (one) => {
      const { page: writes } = await open(one, server.origin);
      await account.signUp(writes, data.folder, "otto");
      await asks(writes, `Keep ${LATER.name}.`, LATER);
      const path = `/api/attachments/${sha256(LATER.buffer)}/file`;
      await writes.waitForFunction((at) => fetch(at).then(({ ok }) => ok), path);
      await writes.close();
      await withBrowser({ gpu: false }, async (other) => {
        // None of them gives way.
        let isBroken = true;
        const line = await startProxy(server.origin, ({ url }) => ({ refuse: isBroken && url.endsWith("/plain/replaced") }));
        const { page: turns } = await open(other, line.origin);
        await account.signIn(turns, "otto");
        await account.syncIs(turns, "synced");
        await toEncryption(turns, line.origin, "plain");
        await turnsOn(turns, PASSPHRASE);
        await turns.locator('[data-plain="waits"][data-error="server_unreachable"]').waitFor();
        await turns.goto(line.origin);
        await openRow(turns, LATER.name);
        await person.hasEnded(turns);
        assert.ok((await downloaded(turns, LATER)).equals(LATER.buffer));
        await storedFile(data.folder, LATER.buffer.length);
        isBroken = false;
        await toEncryption(turns, line.origin, "open");
        await noneIsLeft(turns);
        assert.deepEqual(await filesWith(data.folder, LATER_TEXT), NOTHING);
        await line.close();
      });
    }));
});
