// People whose conversations are encrypted, and the files that go with them.

import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import * as account from "./account.mjs";
import { fill, form, send } from "./people.mjs";
import * as person from "./person.mjs";

export const NOTHING = { plain: [], deflated: [] };

export const rows = (page) => page.locator(".row-title");
export const openRow = (page, title) => page.locator(".row-open").filter({ hasText: title }).click();
export const lockIs = (page, name) => page.locator(`.people-seal[data-lock="${name}"]`).waitFor();
export const press = (page, name) => page.locator(".people-seal").getByRole("button", { name, exact: true }).click();
export const textOf = (page) => page.locator('[data-role="assistant"] .answer').last().innerText();

/** A picture that browsers show; behind its end stands a text, again and again. */
export function picture(text, bytes) {
  const dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
  return Buffer.concat([Buffer.from(dot, "base64"), Buffer.alloc(bytes, text)]).subarray(0, bytes);
}

export function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}

/** How many bytes a file has when it is sealed. */
export const sealedBytes = ({ buffer }) => buffer.length + 16 * Math.max(1, Math.ceil(buffer.length / ((1 << 20) - 16)));

export async function asks(page, text, file) {
  await page.getByRole("button", { name: "New conversation" }).click();
  await person.nextPlaceIs(page, "server");
  if (file) {
    await page.locator('[data-attach="files"]').setInputFiles(file);
    await page.locator('[data-attached="ready"]').filter({ hasText: file.name }).waitFor();
  }
  await person.ask(page, text);
  await person.hasEnded(page);
  await account.syncIs(page, "synced");
}

/** Presses what downloads a sent file, and gives its bytes. */
export async function downloaded(page, { name }) {
  const file = page.waitForEvent("download");
  await page.getByRole("button", { name: `Download ${name}` }).click();
  return readFile(await (await file).path());
}

/** The file of so many bytes in the server's store. */
export async function storedFile(folder, bytes) {
  const entries = await readdir(join(folder, "files"), { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    if ((await stat(path)).size === bytes) return path;
  }
  throw new Error(`no file of ${bytes} bytes`);
}

export async function toEncryption(page, origin, name) {
  await page.goto(`${origin}/#/account/encryption`);
  await lockIs(page, name);
}

export async function unlocks(page, label, secret) {
  await fill(page, "unlock", label, secret);
  await send(page, "unlock");
}

/** Turns encryption on with a passphrase; gives the recovery key. */
export async function turnsOn(page, passphrase) {
  await press(page, "Turn on encryption");
  for (const label of ["New passphrase", "The same once more"]) await fill(page, "passphrase", label, passphrase);
  await send(page, "passphrase");
  const recovery = await page.locator("[data-once]").innerText();
  await form(page, "recovery").getByRole("checkbox").check();
  await send(page, "recovery");
  await lockIs(page, "open");
  return recovery;
}
