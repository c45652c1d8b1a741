// Encrypted conversations and their files: turned on by the person, unlocked on another device by passphrase,
// recovery key or a device that has the key, read there, and nowhere in the server's files. And what a device that
// is gone wrote comes back to a server whose log was restored.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import * as account from "../lib/account.mjs";
import { open, withBrowser } from "../lib/browser.mjs";
import { freshData } from "../lib/files.mjs";
import { look } from "../lib/look.mjs";
import { fault, fill, form, send } from "../lib/people.mjs";
import * as person from "../lib/person.mjs";
import { filesWith } from "../lib/plain.mjs";
import {
  asks,
  downloaded,
  lockIs,
  NOTHING,
  openRow,
  picture,
  press,
  rows,
  sealedBytes,
  sha256,
  storedFile,
  textOf,
  toEncryption,
  unlocks,
} from "../lib/sealed.mjs";
import { startServer } from "../lib/server.mjs";

const PASSPHRASE = "Zwölf Kraniche über dem Wehr";
/** Said before encryption, with it, and on the other device. */
const BEFORE = "Zwetschgenrezept";
const SECRET = "Quittengeheimnis";
const ANSWERED = "Holunderantwort";
/** In files, and in their names: attached before there was encryption, and with it. */
const NOTE = { name: "Mirabellenbrief.txt", mimeType: "text/plain", buffer: Buffer.from("Auf dem Speicher liegt der Schlehenwein.") };
const PHOTO = { name: "Mispelbild.png", mimeType: "image/png", buffer: picture("Kornelkirschengrund ", 1_300_000) };
const IN_FILES = [NOTE.name, "Schlehenwein", PHOTO.name, "Kornelkirschengrund", sha256(PHOTO.buffer)];
const NEXT_PASSPHRASE = "Dreizehn Reiher unter der Brücke";

/** Waits until the server has so many bytes of the person's files. */
async function filesAre(page, bytes) {
  const used = () => page.evaluate(async () => (await (await fetch("/api/attachments")).json()).used_bytes);
  for (const end = Date.now() + 90_000; (await used()) !== bytes; await page.waitForTimeout(100)) {
    assert.ok(Date.now() < end, `${await used()} bytes of files, not ${bytes}`);
  }
}

/** Asks for a picture that the server does not give as it was sealed. */
async function seesNoImage(page) {
  const answered = page.waitForResponse((one) => one.request().headers().range?.startsWith("bytes=1048576-"));
  await page.getByRole("button", { name: "Show the image" }).click();
  await answered;
  await page.locator('[data-way="failed"][data-error="seal_file_damaged"]').waitFor();
  assert.equal(await page.locator(".attachment-image").count(), 0);
}

/** What a browser sends, all of it. */
function listensTo(context) {
  const sent = [];
  context.on("request", (request) => sent.push(request.url(), request.postDataBuffer()?.toString("latin1") ?? ""));
  return sent;
}

/** A locked device asks the others; gives the code that it shows. */
async function asksOthers(page) {
  await press(page, "Let another device approve");
  return page.locator("[data-code]").innerText();
}

const saysOf = (page, text) => page.locator(".people-seal [role=status]").filter({ hasText: text }).waitFor();

/** The key that this device keeps, as text; null: none. */
const keptKey = (page) =>
  page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const request = indexedDB.open("portico");
        request.onerror = () => reject(request.error);
        request.onsuccess = () => {
          const get = request.result.transaction("meta").objectStore("meta").get("seal");
          get.onsuccess = () => resolve(get.result ? JSON.parse(get.result).key : undefined);
        };
      }),
  );

describe("encrypted conversations", () => {
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

  it("are read on unlocked devices and nowhere on the server", { timeout: 300_000 }, () =>
    withBrowser({ gpu: false }, (one) =>
      withBrowser({ gpu: false }, async (other) => {
        const { origin } = server;
        const sent = [listensTo(one), listensTo(other)];
        const { page: first } = await open(one, origin);
        await account.signUp(first, data.folder, "anna");
        await asks(first, `Say ${BEFORE}.`, NOTE);
        const found = await filesWith(data.folder, BEFORE);
        assert.ok(found.plain.length > 0 && found.deflated.length > 0, "what is not encrypted is found");
        await filesAre(first, NOTE.buffer.length);
        const lying = await filesWith(join(data.folder, "files"), "Schlehenwein");
        assert.equal(lying.plain.length, 1, "so is a file that is not");

        await toEncryption(first, origin, "plain");
        assert.deepEqual(await look(first, "encryption-plain"), []);
        await press(first, "Turn on encryption");
        await fill(first, "passphrase", "New passphrase", PASSPHRASE);
        await fill(first, "passphrase", "The same once more", "etwas anderes");
        await send(first, "passphrase");
        await fault(first, "differs");
        assert.deepEqual(await look(first, "encryption-passphrase"), []);
        await fill(first, "passphrase", "The same once more", PASSPHRASE);
        // By the keyboard alone.
        await first.keyboard.press("Enter");
        const recovery = await first.locator("[data-once]").innerText();
        assert.match(recovery, /^([0-9A-HJKMNP-TV-Z]{4}-){8}[0-9A-HJKMNP-TV-Z]{4}$/);
        assert.ok(await form(first, "recovery").locator('[type="submit"]').isDisabled(), "it is to be kept first");
        await form(first, "recovery").getByRole("checkbox").check();
        assert.deepEqual(await look(first, "encryption-recovery"), []);
        await send(first, "recovery");
        await lockIs(first, "open");
        await account.syncIs(first, "synced");
        assert.deepEqual(await look(first, "encryption-open"), []);
        assert.deepEqual(await filesWith(data.folder, BEFORE), NOTHING);

        const { page: second } = await open(other, origin);
        await account.signIn(second, "anna");
        await account.syncIs(second, "locked");
        assert.deepEqual(await look(second, "sync-locked"), []);
        await first.goto(origin);
        await asks(first, `Say ${SECRET}.`, PHOTO);
        await filesAre(first, sealedBytes(NOTE) + sealedBytes(PHOTO));
        assert.equal(await rows(second).count(), 0);
        await second.locator(".sync-line").getByRole("link", { name: "Unlock" }).click();
        await lockIs(second, "locked");
        await unlocks(second, "Passphrase", "nicht die Passphrase");
        await fault(second, "seal_passphrase_wrong");
        assert.deepEqual(await look(second, "encryption-locked"), []);
        await unlocks(second, "Passphrase", PASSPHRASE);
        await lockIs(second, "open");
        await account.syncIs(second, "synced");
        await rows(second).filter({ hasText: BEFORE }).waitFor();
        await openRow(second, SECRET);
        await person.hasEnded(second);
        assert.equal(await textOf(second), await textOf(first));
        // A file comes as it was, or not at all.
        const stored = await storedFile(data.folder, sealedBytes(PHOTO));
        const sealed = await readFile(stored);
        await writeFile(stored, sealed.map((byte, at) => (at === 1_200_000 ? byte ^ 1 : byte)));
        await seesNoImage(second);
        assert.deepEqual(await look(second, "encryption-file-damaged"), []);
        await writeFile(stored, sealed.subarray(0, 1 << 20));
        await seesNoImage(second);
        await writeFile(stored, sealed);
        await second.getByRole("button", { name: "Show the image" }).click();
        const shown = second.locator(".attachment-image");
        await shown.waitFor();
        assert.equal(await shown.evaluate((image) => image.decode().then(() => image.naturalWidth)), 1);
        assert.ok((await downloaded(second, PHOTO)).equals(PHOTO.buffer));
        await openRow(second, BEFORE);
        await person.hasEnded(second);
        assert.ok((await downloaded(second, NOTE)).equals(NOTE.buffer), "also what was attached before");
        for (const text of IN_FILES) assert.deepEqual(await filesWith(data.folder, text), NOTHING, text);
        // Of a deletion the server reads nothing: a device says it, and what becomes of it when it is taken back.
        const released = second.waitForRequest((one) => one.url().endsWith("/api/attachments/release"));
        const row = second.locator("li").filter({ has: rows(second).filter({ hasText: SECRET }) });
        await row.hover();
        await row.getByRole("button", { name: "Delete" }).click();
        await released;
        const offered = second.waitForRequest((one) => one.method() === "POST" && one.url().endsWith("/api/attachments"));
        await second.getByRole("button", { name: "Undo" }).click();
        await offered;
        await account.syncIs(second, "synced");
        const search = second.getByRole("searchbox", { name: "Search conversations" });
        await search.fill(SECRET.slice(0, 7));
        await rows(second).filter({ hasText: BEFORE }).waitFor({ state: "detached" });
        assert.equal(await rows(second).filter({ hasText: SECRET }).count(), 1);
        await search.fill("");

        // Locked again, and opened by the recovery key.
        await toEncryption(second, origin, "open");
        const lock = "Lock this device: it then asks for the passphrase";
        await press(second, lock);
        await press(second, lock);
        await lockIs(second, "locked");
        await press(second, "Use the recovery key");
        await unlocks(second, "Recovery key", recovery.replace(/^./, (c) => (c === "Z" ? "Y" : "Z")));
        await fault(second, "seal_recovery_typo");
        await unlocks(second, "Recovery key", recovery.toLowerCase().replaceAll("-", " "));
        await lockIs(second, "open");
        await second.goto(origin);
        await asks(second, `Say ${ANSWERED}.`);
        await rows(first).filter({ hasText: ANSWERED }).waitFor();
        for (const text of [BEFORE, SECRET, ANSWERED]) {
          assert.deepEqual(await filesWith(data.folder, text), NOTHING, text);
        }

        // Let in by the other device. It is offline first, and hears of it when it is back.
        const key = await keptKey(first);
        await toEncryption(second, origin, "open");
        const { page: third } = await open(other, origin);
        await toEncryption(third, origin, "open");
        await press(second, lock);
        await press(second, lock);
        await lockIs(second, "locked");
        // So is the device's other tab, which asks for longer than a request holds.
        await lockIs(third, "locked");
        await third.clock.install();
        await asksOthers(third);
        await third.clock.fastForward("10:01");
        await third.locator('[data-approval="expired"]').waitFor();
        assert.deepEqual(await look(third, "approval-expired"), []);
        await one.setOffline(true);
        const unused = await asksOthers(second);
        await saysOf(second, "No unlocked device has answered yet");
        assert.match(unused, /^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/);
        assert.deepEqual(await look(second, "approval-asks"), []);
        await one.setOffline(false);
        await first.locator(".sync-line").getByRole("link", { name: "Approve a new device" }).click();
        await form(first, "approve").and(first.locator('[data-asked="true"]')).waitFor();
        await saysOf(second, "Another device has the request");
        await fill(first, "approve", "Code of the new device", "0000-0000-0000-0000");
        await send(first, "approve");
        await fault(first, "seal_approval_code");
        assert.deepEqual(await look(first, "approval"), []);
        await press(first, "That is not me: refuse");
        await lockIs(second, "locked");
        await second.locator('[data-approval="refused"]').waitFor();
        assert.deepEqual(await look(second, "approval-refused"), []);
        // A server that puts a key of its own in the place of the new device's gets nothing.
        const exchange = (route) => {
          const body = route.request().postDataJSON();
          if (body.signal === "approval_asked") body.key = randomBytes(32).toString("base64url");
          return route.continue({ postData: JSON.stringify(body) });
        };
        await other.route("**/api/sync/signal", exchange);
        await press(second, "Ask again");
        const exchanged = await second.locator("[data-code]").innerText();
        await first.goto(`${origin}/#/account/approve/${exchanged}`);
        await form(first, "approve").and(first.locator('[data-asked="true"]')).waitFor();
        assert.ok(!first.url().includes(exchanged), "the code stays in no address");
        await send(first, "approve");
        await fault(first, "seal_approval_code");
        await other.unroute("**/api/sync/signal", exchange);
        await press(second, "Cancel");
        // The link of the QR code, with the code in it.
        const code = await asksOthers(second);
        assert.equal(await second.locator(".people-qr path").count(), 1);
        await first.goto(`${origin}/#/account/approve/${code}`);
        await form(first, "approve").and(first.locator('[data-asked="true"]')).waitFor();
        await send(first, "approve");
        await lockIs(second, "open");
        await account.syncIs(second, "synced");
        assert.equal(await keptKey(second), key);
        await lockIs(third, "open");
        await third.close();

        // Other secrets: the old ones open nothing more.
        await lockIs(first, "open");
        await press(first, "Change the passphrase");
        await fill(first, "passphrase", "New passphrase", NEXT_PASSPHRASE);
        await fill(first, "passphrase", "The same once more", NEXT_PASSPHRASE);
        await send(first, "passphrase");
        await press(first, "New recovery key");
        const renewed = await first.locator("[data-once]").innerText();
        await form(first, "recovery").getByRole("checkbox").check();
        await send(first, "recovery");
        await form(first, "recovery").waitFor({ state: "detached" });
        await press(second, lock);
        await press(second, lock);
        await unlocks(second, "Passphrase", PASSPHRASE);
        await fault(second, "seal_passphrase_wrong");
        await press(second, "Use the recovery key");
        await unlocks(second, "Recovery key", recovery);
        await fault(second, "seal_recovery_wrong");
        await unlocks(second, "Recovery key", renewed);
        await lockIs(second, "open");
        await press(second, lock);
        await press(second, lock);
        await unlocks(second, "Passphrase", NEXT_PASSPHRASE);
        await lockIs(second, "open");
        // Nothing that opens anything has left a browser, or lies on the server.
        const secrets = [key, unused, exchanged, code, recovery, renewed].flatMap((text) => [text, text.replaceAll("-", "")]);
        for (const secret of [...secrets, PASSPHRASE, NEXT_PASSPHRASE]) {
          assert.ok(!sent.flat().some((text) => text.includes(secret)), secret);
          assert.deepEqual(await filesWith(data.folder, secret), NOTHING, secret);
        }

        await second.goto(origin);
        // Signed out, the key is gone; turned off, a device that knows better sends nothing unasked.
        await press(first, "Turn off encryption");
        assert.deepEqual(await look(first, "encryption-off"), []);
        await send(first, "turn-off");
        await lockIs(first, "plain");
        await account.syncIs(first, "synced");
        await account.syncIs(second, "unsealed");
        await second.locator(".sync-line").getByRole("link", { name: "Decide" }).click();
        await lockIs(second, "unsealed");
        assert.deepEqual(await look(second, "encryption-unsealed"), []);
        assert.ok(await keptKey(second));
        await second.getByRole("button", { name: "Sign out", exact: true }).click();
        await form(second, "sign-in").waitFor();
        await second.waitForTimeout(500);
        assert.equal(await keptKey(second), null);
      }),
    ));
});

describe("a server that was restored", () => {
  let data;
  let kept;
  let server;
  before(async () => {
    data = await freshData();
    kept = await mkdtemp(join(tmpdir(), "portico-kept-"));
    server = await startServer({ data: data.folder });
  });
  after(async () => {
    await server?.stop();
    await data?.remove();
    await rm(kept, { recursive: true, force: true });
  });

  const databaseOf = async (folder) => (await readdir(folder)).filter((name) => name.startsWith("portico.sqlite"));

  it("gets back what a device wrote that is gone, though it has grown past what the others had", { timeout: 300_000 }, () =>
    withBrowser({ gpu: false }, async (staying) => {
      const { origin, port } = server;
      const { page: stays } = await open(staying, origin);
      await account.signUp(stays, data.folder, "anna");
      await account.syncIs(stays, "synced");
      await server.stop();
      for (const name of await databaseOf(data.folder)) await cp(join(data.folder, name), join(kept, name));
      server = await startServer({ data: data.folder, port });
      await withBrowser({ gpu: false }, async (going) => {
        const { page: goes } = await open(going, origin);
        await account.signIn(goes, "anna");
        await asks(goes, `Say ${BEFORE}.`);
        // The other device has the end of the answer before this one is gone.
        await openRow(stays, BEFORE);
        await person.hasEnded(stays);
      });
      const answer = await textOf(stays);
      await account.syncIs(stays, "synced");
      await staying.setOffline(true);
      await server.stop();
      for (const name of await databaseOf(data.folder)) await rm(join(data.folder, name));
      for (const name of await databaseOf(kept)) await cp(join(kept, name), join(data.folder, name));
      server = await startServer({ data: data.folder, port });

      await withBrowser({ gpu: false }, async (fresh) => {
        const { page: writes } = await open(fresh, origin);
        await account.signIn(writes, "anna");
        await account.syncIs(writes, "synced");
        // More than what was there before.
        for (const text of [SECRET, ANSWERED, "Walnuss"]) await asks(writes, `Say ${text}.`);
        assert.equal(await rows(writes).filter({ hasText: BEFORE }).count(), 0);
        await staying.setOffline(false);
        await rows(writes).filter({ hasText: BEFORE }).waitFor();
      });
      await withBrowser({ gpu: false }, async (fresh) => {
        const { page: reads } = await open(fresh, origin);
        await account.signIn(reads, "anna");
        await openRow(reads, BEFORE);
        await person.hasEnded(reads);
        assert.equal(await textOf(reads), answer);
        assert.equal(await rows(reads).count(), 4);
      });
    }));
});
