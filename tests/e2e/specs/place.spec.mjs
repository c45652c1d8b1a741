// One request, two places: the server answers where the device cannot, an answer moves there when the
// device fails, outlives its tab, and stays away where the person said so.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe, it } from "node:test";
import { beforeWorker, open, withBrowser } from "../lib/browser.mjs";
import { look } from "../lib/look.mjs";
import * as person from "../lib/person.mjs";
import * as scripts from "../lib/scripts.mjs";
import { startServer } from "../lib/server.mjs";
import { MODEL } from "../lib/settings.mjs";

const QUESTION = "What is the capital of Germany?";
const ANSWER = "The capital of Germany is Berlin.";
/** Long enough to be in the middle of for a while. */
const LONG = "Write a long story about a lighthouse keeper and the sea.";

const newest = (page) => page.locator('[data-role="assistant"]').last();
const textOf = (page) => newest(page).locator(".answer").innerText();

/** The one request with messages in it that a page sends to the server while `work` goes on. */
async function asked(page, work) {
  const bodies = [];
  page.on("request", (request) => {
    if (request.url().includes("/v1/") && request.method() === "POST") bodies.push(request.postData());
  });
  await work();
  return bodies;
}

describe("one request, two places", () => {
  let server;
  before(async () => (server = await startServer()));
  after(() => server.stop());

  it("is answered by the server where the device has no WebGPU", { timeout: 180_000 }, () =>
    withBrowser({ gpu: false }, async (context) => {
      const { page, complaints } = await open(context, server.origin);
      await person.nextPlaceIs(page, "server");
      assert.deepEqual(await look(page, "answers-on-server"), []);
      await person.choosesLikeliest(page);
      await person.ask(page, QUESTION);
      await person.answerIs(page, "done");
      assert.equal(await textOf(page), ANSWER);
      assert.equal(await newest(page).getAttribute("data-place"), "server");
      assert.equal(await newest(page).getAttribute("data-model"), MODEL);

      // What stays on the device is not sent, and the page says why.
      await person.choosesPlace(page, "device");
      await person.nextPlaceIs(page, "nowhere");
      await page.getByRole("textbox", { name: "Message" }).fill(QUESTION);
      assert.ok(await page.getByRole("button", { name: "Send" }).isDisabled());
      assert.deepEqual(await look(page, "stays-on-device"), []);
      const refused = await page.evaluate(
        (wanted) => globalThis.portico.chat.completions.create(wanted).catch((error) => error.code),
        { model: MODEL, place: "device", messages: [{ role: "user", content: QUESTION }] },
      );
      assert.equal(refused, "webgpu_missing");
      assert.deepEqual(complaints, { errors: [], csp: [], foreign: [] });
    }),
  );

  it("moves to the server when the model cannot come, with the switch shown", { timeout: 240_000 }, () =>
    withBrowser({ serviceWorkers: "block" }, async (context) => {
      await beforeWorker(context, 'const fetched = fetch; globalThis.fetch = (url, ...rest) => String(url.url ?? url).includes("/weights/") ? Promise.resolve(new Response("", { status: 403 })) : fetched(url, ...rest);');
      const { page } = await open(context, server.origin);
      await scripts.ready(page);
      await person.loadOffered(page);
      await person.choosesLikeliest(page);
      await person.ask(page, QUESTION);
      await person.answerIs(page, "done");
      assert.equal(await textOf(page), ANSWER);
      assert.equal(await newest(page).getAttribute("data-place"), "server");
      assert.equal(await newest(page).locator("[data-moved]").getAttribute("data-moved"), "download_failed");
      assert.deepEqual(await look(page, "moved-to-server"), []);
    }),
  );

  it("outgrows the device, and loses no word when the device is lost for good in mid-answer", { timeout: 600_000 }, () =>
    withBrowser({}, async (context) => {
      const { page } = await open(context, `${server.origin}/?debug`);
      await scripts.ready(page);
      await person.loadOffered(page);
      await person.isReady(page);
      // More than the device's context holds, less than the server's.
      await person.ask(page, `${"A ship sails by. ".repeat(900)}How many ships?`);
      await newest(page).locator("[data-moved]").waitFor();
      assert.equal(await newest(page).locator("[data-moved]").getAttribute("data-moved"), "context_length_exceeded");
      await person.hasEnded(page);
      await page.getByRole("button", { name: "New conversation" }).click();

      await person.choosesLikeliest(page);
      await person.ask(page, LONG);
      await person.answerIs(page, "streaming");
      await page.waitForFunction(() => [...document.querySelectorAll(".answer")].at(-1).innerText.length > 20, undefined, { timeout: 240_000 });
      const before = await textOf(page);
      // The engine is rebuilt after a loss or two; a device that keeps being lost is given up.
      const losing = setInterval(() => page.evaluate(() => globalThis.portico.loseDevice()).catch(() => {}), 700);
      try {
        await newest(page).locator("[data-moved]").waitFor({ timeout: 300_000 });
      } finally {
        clearInterval(losing);
      }
      assert.equal(await newest(page).getAttribute("data-place"), "server");
      await page.waitForFunction((length) => [...document.querySelectorAll(".answer")].at(-1).innerText.length > length + 40, before.length);
      // The server may have come to the end of its answer.
      await person.stopIfGoing(page);
      const whole = await textOf(page);
      assert.ok(whole.startsWith(before.trimEnd()), `${JSON.stringify(before)} … ${JSON.stringify(whole)}`);
    }),
  );

  it("goes on while no tab is open, is picked up by a reload, and stops from another tab", { timeout: 240_000 }, () =>
    withBrowser({ gpu: false }, async (context) => {
      const { page } = await open(context, server.origin);
      await person.nextPlaceIs(page, "server");
      await person.ask(page, LONG);
      await person.answerIs(page, "streaming");
      await page.reload();
      await page.waitForFunction(() => [...document.querySelectorAll(".answer")].at(-1)?.innerText.length > 80);
      const state = await newest(page).getAttribute("data-state");
      assert.ok(["streaming", "done", "stopped"].includes(state), state);
      await person.hasEnded(page);
      assert.equal(await newest(page).getAttribute("data-place"), "server");

      // There before the answer begins, which may not last as long as a page takes to come.
      const { page: other } = await open(context, server.origin);
      await person.nextPlaceIs(other, "server");
      await page.getByRole("button", { name: "New conversation" }).click();
      await person.ask(page, `${LONG} Make it very long.`);
      await person.answerIs(page, "streaming");
      await other.evaluate((hash) => void (location.hash = hash), new URL(page.url()).hash);
      await newest(other).getByRole("button", { name: "Stop" }).click();
      await page.locator('[data-role="assistant"]:not([data-state="streaming"])').last().waitFor();
    }),
  );

  it("gives scripts the place that they name", { timeout: 120_000 }, () =>
    withBrowser({ gpu: false }, async (context) => {
      const { page } = await open(context, server.origin);
      await scripts.ready(page);
      const request = { model: MODEL, temperature: 0, max_tokens: 16, messages: [{ role: "user", content: QUESTION }] };
      for (const place of ["server", "auto"]) {
        const whole = await scripts.chat(page, { ...request, place });
        assert.equal(whole.choices[0].message.content, ANSWER);
        assert.equal(whole.portico.place, "server");
      }
      const bodies = await asked(page, () => scripts.chat(page, { ...request, place: "server" }));
      assert.equal(bodies.length, 1);
      const streamed = await page.evaluate(async (wanted) => {
        let text = "";
        for await (const chunk of globalThis.portico.chat.completions.create(wanted)) text += chunk.choices[0]?.delta.content ?? "";
        return text;
      }, { ...request, place: "server", stream: true });
      assert.equal(streamed, ANSWER);
      const wrong = await page.evaluate(
        (wanted) => globalThis.portico.chat.completions.create(wanted).catch((error) => error.code),
        { ...request, place: "moon" },
      );
      assert.equal(wrong, "invalid_request");
    }),
  );

  it("computes for other pages of the house, and only for those", { timeout: 120_000 }, async () => {
    const intranet = await otherSite();
    const portal = await startServer({ env: { PORTICO_ACCESS_EMBED_ORIGINS: intranet.origin } });
    const ask = async (context, origin, portalOrigin) => {
      const page = await context.newPage();
      await page.goto(`${origin}/?portal=${portalOrigin}`);
      return page.evaluate(
        async ([portal, request]) => {
          try {
            const { connect } = await import(`${portal}/embed.js`);
            const portico = await connect({ timeoutMs: 5_000 });
            let text = "";
            for await (const chunk of portico.chat.completions.create({ ...request, stream: true })) text += chunk.choices[0]?.delta.content ?? "";
            const whole = await portico.chat.completions.create(request);
            const refused = await portico.chat.completions.create({ ...request, model: "none" }).catch((error) => error.code);
            portico.close();
            return { text, whole: whole.choices[0].message.content, place: whole.portico.place, refused };
          } catch (error) {
            return { failed: String(error) };
          }
        },
        [portalOrigin, { model: MODEL, place: "server", temperature: 0, max_tokens: 16, messages: [{ role: "user", content: QUESTION }] }],
      );
    };
    try {
      await withBrowser({ gpu: false }, async (context) => {
        assert.deepEqual(await ask(context, intranet.origin, portal.origin), { text: ANSWER, whole: ANSWER, place: "server", refused: "model_not_found" });
        // A portal that does not name the site gives it neither module nor frame.
        assert.ok((await ask(context, intranet.origin, server.origin)).failed);
      });
    } finally {
      await portal.stop();
      await intranet.close();
    }
  });
});

/** A site of another origin, with an empty page. */
async function otherSite() {
  const site = createServer((_, answer) => answer.setHeader("content-type", "text/html").end("<!doctype html><title>Intranet</title>"));
  await new Promise((done) => site.listen(0, "127.0.0.1", done));
  return {
    origin: `http://127.0.0.1:${site.address().port}`,
    close: () => new Promise((done) => site.close(done)),
  };
}
