// The embedder of this device and documents: those of the server that it indexes, and those that never
// leave the browser, found by what they mean.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { launch, newProfile, open, removeProfile, withBrowser } from "../lib/browser.mjs";
import { freshData, oneFile } from "../lib/files.mjs";
import * as library from "../lib/library.mjs";
import { look } from "../lib/look.mjs";
import * as person from "../lib/person.mjs";
import { startServer } from "../lib/server.mjs";

const DEVICE = "#/documents?collection=on.device";
const FEE = "The annual membership fee is twenty-four euros.";
/** Shares no word with what answers it, as the other questions do not. */
const FEE_ASKED = "Wie viel kostet die Mitgliedschaft im Jahr?";
const LEMONS = "In winter the greenhouse is heated, so that the lemon trees survive the frost.";
const LEMONS_ASKED = "Was schützt Zitronenbäume vor Kälte?";
const BEES = "The hives behind the chapel gave forty jars of honey this summer.";
const BEES_ASKED = "Wie viel Honig gab es?";
const SLOW = 240_000;

const embedded = (page, name) =>
  page.locator('[data-document][data-embedded="true"]').filter({ hasText: name }).waitFor({ timeout: SLOW });
const said = (page, name, text) =>
  page.locator('[data-upload="done"]').filter({ hasText: name }).filter({ hasText: text }).waitFor({ timeout: SLOW });

/** The first hit is `name`, and nothing but its meaning found it. */
async function foundByMeaning(page, query, name) {
  await library.searchFor(page, query);
  const first = library.hits(page).first();
  assert.match(await first.locator(".hit-name").innerText(), new RegExp(name));
  assert.match(await first.locator(".hit-line").innerText(), /Found by meaning$/);
}

describe("documents and the device's embedder", () => {
  let data;
  let server;
  let profile;
  let context;
  let files;
  before(async () => {
    data = await freshData();
    server = await startServer({ data: data.folder });
    profile = await newProfile();
    context = await launch(profile, { serviceWorkers: "block" });
    files = {
      fee: await oneFile("fee.txt", `${FEE}\n`),
      honey: await oneFile("honey.md", `# Report\n\n${BEES}\n`),
      lemons: await oneFile("lemons.md", `# Garden\n\n${LEMONS}\n`),
      mail: await oneFile("mail.eml", "From: ada@example.org\r\nSubject: Keys\r\n\r\nThe keys hang in the office.\r\n"),
    };
  });
  after(async () => {
    for (const file of Object.values(files)) await file.remove();
    await context.close();
    await removeProfile(profile);
    await server.stop();
    await data.remove();
  });

  it("on the device are found by meaning, also after a reload and for answers", { timeout: 540_000 }, async () => {
    const wrong = [];
    const { page, complaints } = await open(context, `${server.origin}/?debug${DEVICE}`);
    const sent = [];
    page.on("request", (request) => sent.push(`${request.method()} ${request.url()} ${request.postData() ?? ""}`));
    await page.locator(".drop-zone").waitFor();
    await library.addFiles(page, [files.fee.path]);
    await library.documentIs(page, "fee.txt", "ready");
    const offer = page.getByRole("button", { name: "Search these by meaning, too" });
    await offer.waitFor();
    wrong.push(...(await look(page, "meaning-offered")));
    assert.equal(await page.locator('[data-embedded="true"]').count(), 0);
    await offer.click();
    await page.locator('[data-meaning="on"]').waitFor();
    // One that comes while another has its turn is not forgotten.
    await library.addFiles(page, [files.honey.path]);
    await embedded(page, "fee.txt");
    await embedded(page, "honey.md");
    wrong.push(...(await look(page, "meaning-on")));

    await page.reload();
    await embedded(page, "fee.txt");
    await foundByMeaning(page, FEE_ASKED, "fee.txt");
    await foundByMeaning(page, BEES_ASKED, "honey.md");
    wrong.push(...(await look(page, "meaning-found")));
    const hit = library.hits(page).first();
    assert.equal(await hit.getAttribute("data-collection"), "on.device");
    await hit.locator(".hit-open").click();
    await page.locator(".doc-text mark").first().waitFor();

    // An answer rests on it, though the question shares no word with it.
    await page.getByRole("button", { name: "New conversation" }).click();
    await person.loadOffered(page);
    await page.locator(".docs-choice summary").click();
    await page.getByRole("checkbox", { name: /^On this device/ }).check();
    await page.keyboard.press("Escape");
    await person.isReady(page);
    await person.ask(page, FEE_ASKED);
    const answer = page.locator('[data-role="assistant"]').last();
    await answer.locator(".sources li").first().waitFor({ state: "attached", timeout: SLOW });
    assert.equal(await answer.locator(".sources li .source-text").first().textContent(), FEE);
    // It may have ended by now.
    await page.getByRole("button", { name: "Stop", exact: true }).click({ timeout: 5_000 }).catch(() => undefined);
    const { wasm_memory_bytes: heap } = await page.evaluate(() => globalThis.portico.debug());
    assert.ok(heap < 500_000_000, `${heap} bytes of Wasm memory with a model that chats and an embedder`);

    const passed = sent.join("\n");
    for (const word of ["membership fee", "chapel", "/v1/chat", "/v1/embeddings"]) assert.ok(!passed.includes(word), `${word} was sent`);
    assert.deepEqual(wrong, []);
    assert.deepEqual(complaints, { errors: [], csp: [], foreign: [] });
    await page.close();
  });

  it("of the server are indexed by the uploader's device, and by the server where that is wrong", { timeout: 400_000 }, async () => {
    const wrong = [];
    const { page, complaints } = await open(context, `${server.origin}/#/documents`);
    const uploads = [];
    page.on("request", (request) => request.method() === "POST" && uploads.push(new URL(request.url()).pathname.split("/").at(-1)));
    await library.createCollection(page, "Garden");
    await page.getByRole("checkbox", { name: "Indexed by your device" }).check();
    await library.addFiles(page, [files.lemons.path]);
    await said(page, "lemons.md", "Indexed by your device");
    await library.documentIs(page, "lemons.md", "ready");
    assert.deepEqual(uploads.filter((part) => part !== "collections"), ["files", "indexed"], "the server was sent no more");
    await foundByMeaning(page, LEMONS_ASKED, "lemons.md");

    // Damaged vectors: still of length one, and not those of the text.
    const refused = [];
    await page.route("**/indexed", async (route) => {
      const body = JSON.parse(route.request().postData());
      const bytes = Buffer.from(body.vectors, "base64");
      const vectors = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
      body.vectors = Buffer.from(vectors.reverse().buffer).toString("base64");
      const response = await route.fetch({ postData: JSON.stringify(body) });
      refused.push([response.status(), (await response.json()).error.code]);
      await route.fulfill({ response });
    });
    await library.goTo(page, "#/documents?collection=garden");
    await library.addFiles(page, [files.honey.path, files.mail.path]);
    await said(page, "honey.md", "this device’s vectors were not the same");
    assert.deepEqual(refused, [[422, "vectors_disagree"]]);
    await said(page, "mail.eml", "this device cannot read this file");
    for (const name of ["honey.md", "mail.eml"]) await library.documentIs(page, name, "ready");
    wrong.push(...(await look(page, "indexed-by-device")));
    await library.addFiles(page, [files.mail.path]);
    await said(page, "mail.eml", "Unchanged, already there");
    await page.unroute("**/indexed");
    await foundByMeaning(page, BEES_ASKED, "honey.md");

    // All that were found are counted, by what they may be filtered by.
    await library.searchFor(page, "keys office greenhouse honey");
    const counted = (label) => page.getByRole("combobox", { name: label }).locator("option", { hasText: "(" }).allTextContents();
    assert.deepEqual(await counted("Collection"), ["On this device (2)", "Garden (3)"]);
    await page.getByRole("combobox", { name: "Kind" }).selectOption("text/markdown");
    await page.locator('[data-hits="3"]').waitFor();
    assert.ok((await counted("Kind")).some((name) => /E-mail \(1\)/i.test(name)), await counted("Kind"));
    wrong.push(...(await look(page, "search-counted")));
    assert.deepEqual(wrong, []);
    const expected = /422/;
    assert.deepEqual({ ...complaints, errors: complaints.errors.filter((text) => !expected.test(text)) }, { errors: [], csp: [], foreign: [] });
    await page.close();
  });

  it("without a graphics processor are the server's to index, and nothing else is offered", { timeout: 120_000 }, () =>
    withBrowser({ gpu: false }, async (bare) => {
      const { page } = await open(bare, `${server.origin}/#/documents?collection=garden`);
      await page.locator(".drop-zone").waitFor();
      await page.waitForFunction(() => globalThis.portico?.ready.then(() => true));
      assert.equal(await page.locator(".switch").count(), 0);
      await library.goTo(page, DEVICE);
      await library.addFiles(page, [files.fee.path]);
      await library.documentIs(page, "fee.txt", "ready");
      assert.equal(await page.locator("[data-meaning], .drop-zone .button.small").count(), 0);
      await library.searchFor(page, "membership fee");
      await library.hits(page).filter({ hasText: "fee.txt" }).waitFor();
    }),
  );
});
