// What a person does with the account's and the administration's views, by the names and attributes that
// they promise.

import { createHmac } from "node:crypto";

/** A form by its name: sign-in, link, profile, password, totp, key, invite, group, policy, … */
export const form = (page, name) => page.locator(`[data-form="${name}"]`);

export const fill = (page, name, label, value) => form(page, name).getByLabel(label, { exact: true }).fill(value);

export const send = (page, name) => form(page, name).locator('[type="submit"]').click();

/** Waits for an error by its code. */
export const fault = (page, code) => page.locator(`[data-error="${code}"]`).first().waitFor();

/** Waits until a form says that it was saved. */
export const isSaved = (page, name) => form(page, name).getByText(/^(Saved|Gespeichert)\.$/).waitFor();

export async function signsIn(page, name, password) {
  await page.goto(new URL("/#/sign-in", page.url()).href);
  await fill(page, "sign-in", "Name", name);
  await fill(page, "sign-in", "Password", password);
  await send(page, "sign-in");
}

/** Waits until the sidebar shows whose account it is. */
export const isShown = (page, name) => page.locator('[data-open="people"]').filter({ hasText: name }).waitFor();

/** What rules come to for a field, and who says so. */
export async function effect(page, field) {
  const cells = page.locator(`[data-effect="${field}"] td`);
  return { value: await cells.nth(0).innerText(), from: await cells.nth(1).innerText() };
}

/** Chooses what rules say of a field. */
export const says = (page, field, choice) => page.locator(`[data-rule="${field}"] select`).selectOption(choice);

/** Types the names or the number that a field of rules asks for. */
export const types = (page, field, text) => page.locator(`[data-rule="${field}"] input`).fill(text);

/** RFC 6238, as an app does it. */
export function totp(secret, at_s = Date.now() / 1000) {
  const bits = [...secret.replace(/[\s=]/g, "")].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at_s / 30)));
  const hash = createHmac("sha1", key).update(counter).digest();
  const code = (hash.readUInt32BE(hash[19] & 15) & 0x7fffffff) % 1_000_000;
  return String(code).padStart(6, "0");
}
