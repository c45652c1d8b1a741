// A real Chromium with WebGPU in software, and pages that tell what went wrong in them.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import * as settings from "./settings.mjs";

const FLAGS = [
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A fresh profile folder. */
export const newProfile = () => mkdtemp(join(tmpdir(), "portico-profile-"));
export const removeProfile = (folder) => rm(folder, { recursive: true, force: true });

/**
 * A browser with the profile in `folder`, so that a second launch finds what the first one kept.
 * `gpu: false` gives one without WebGPU.
 */
export async function launch(folder, { gpu = true, flags = [], ...options } = {}) {
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: settings.chromium(),
    headless: true,
    // Playwright's own defaults switch the GPU off.
    ignoreDefaultArgs: ["--disable-gpu", "--disable-field-trial-config"],
    args: gpu ? [...FLAGS, ...flags] : [...FLAGS.filter((flag) => !/gpu/.test(flag)), "--disable-features=WebGPU", ...flags],
    locale: "en-GB",
    viewport: { width: 1280, height: 800 },
    ...options,
  });
  context.setDefaultTimeout(120_000);
  return context;
}

/**
 * A page of `context` at `url` and what it complained about: errors on the console, violations of
 * the Content-Security-Policy, requests to other origins.
 */
export async function open(context, url) {
  const page = await context.newPage();
  const complaints = watch(page, new URL(url).origin);
  await page.goto(url);
  return { page, complaints };
}

function watch(page, origin) {
  const complaints = { errors: [], csp: [], foreign: [] };
  page.on("console", (message) => {
    const text = message.text();
    if (/Content.Security.Policy/i.test(text)) complaints.csp.push(text);
    else if (message.type() === "error") complaints.errors.push(text);
    if (process.env.PORTICO_TEST_VERBOSE) console.log(`[${message.type()}] ${text}`);
  });
  page.on("pageerror", (error) => complaints.errors.push(String(error.stack ?? error)));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith("http") && url.origin !== origin) complaints.foreign.push(request.url());
  });
  return complaints;
}

/**
 * Runs `script` in the engine's worker before the page's own code, to make a browser that lacks
 * something. The context needs `serviceWorkers: "block"`: what a service worker fetches passes by.
 */
export const beforeWorker = (context, script) =>
  context.route("**/worker_entry.js", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: `${script}\n${await answer.text()}` });
  });

/** A fresh profile and browser for `work`, removed afterwards whatever happened. */
export async function withBrowser(options, work) {
  const profile = await newProfile();
  const context = await launch(profile, options);
  try {
    return await work(context, profile);
  } finally {
    await context.close();
    await removeProfile(profile);
  }
}
