// People who sign in, by the server's routes.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as settings from "./settings.mjs";

const PASSWORD = "korrekt-Pferd-Batterie-Heftklammer-7";

/** A link by which somebody makes an account; the first person of a house administers it. */
export async function adminLink(data) {
  const args = ["--lang", "en", "--data", data, "people", "link", "--admin"];
  const { stdout } = await promisify(execFile)(settings.portico(), args);
  const secret = /#\/link\/([0-9a-f]+)/.exec(stdout)?.[1];
  if (!secret) throw new Error(`no link in: ${stdout}`);
  return secret;
}

const post = (page, path, body) =>
  page.evaluate(
    async ([to, what]) => {
      const headers = { "content-type": "application/json" };
      const answer = await fetch(to, { method: "POST", headers, body: JSON.stringify(what) });
      if (!answer.ok) throw new Error(`${to}: ${answer.status} ${await answer.text()}`);
    },
    [path, body],
  );

/** Has the page look who is signed in. What is written before it knows is offered for syncing, not sent. */
async function hears(page) {
  await page.evaluate(() => dispatchEvent(new CustomEvent("portico-session")));
  await page.locator('button[data-open="people"]').waitFor({ state: "attached" });
}

/** Makes an account and signs in with it. */
export async function signUp(page, data, name) {
  await post(page, "/api/links/open", { secret: await adminLink(data), password: PASSWORD, name });
  await hears(page);
}

/** Signs in. */
export async function signIn(page, name) {
  await post(page, "/api/session", { name, password: PASSWORD });
  await hears(page);
}

/** Waits until the page says how its conversations stand: synced, offline, signed-out, … */
export const syncIs = (page, name, timeout = 60_000) =>
  page.locator(`.sync-line[data-sync="${name}"]`).waitFor({ timeout });
