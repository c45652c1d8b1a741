// The organisation's documents and those that never leave the browser: taken in, found, opened at the
// passage, deleted; who may not sees no more than that; what hostile files hold is text.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { open, withBrowser } from "../lib/browser.mjs";
import { SAYS, SECOND_PAGE, freshData, oneFile, realFiles } from "../lib/files.mjs";
import * as library from "../lib/library.mjs";
import { look } from "../lib/look.mjs";
import * as person from "../lib/person.mjs";
import { startProxy } from "../lib/proxy.mjs";
import { startServer } from "../lib/server.mjs";

const DEVICE = "#/documents?collection=on.device";
/** By words alone: by meaning something is always nearest. */
const WORDS = { PORTICO_DOCUMENTS_EMBEDDER: "none" };
const NO_COMPLAINTS = { errors: [], csp: [], foreign: [] };

describe("documents of the server", () => {
  let data;
  let server;
  before(async () => {
    data = await freshData();
    server = await startServer({ data: data.folder, env: WORDS });
  });
  after(async () => {
    await server.stop();
    await data.remove();
  });

  it("are taken in, found, opened at the passage and deleted", { timeout: 540_000 }, () =>
    withBrowser({}, async (context) => {
      const files = await realFiles(context);
      const wrong = [];
      try {
        const { page, complaints } = await open(context, server.origin);
        await library.openDocuments(page);
        await page.locator('[data-state="no-collections"]').waitFor();
        wrong.push(...(await look(page, "documents-none")));
        await library.createCollection(page, "Handbook & rules");
        await page.locator('[data-state="no-documents"]').waitFor();
        wrong.push(...(await look(page, "documents-empty")));

        await library.addFiles(page, files.paths);
        for (const name of Object.keys(SAYS)) await library.documentIs(page, name, "ready");
        wrong.push(...(await look(page, "documents-ready")));
        // Whatever it is, its bytes come in a sandbox; text alone is shown.
        const heads = await page.evaluate(async () => {
          const { documents } = await (await fetch("/api/collections/handbook-rules/documents")).json();
          const head = async ({ id, media_type }) => {
            const { headers } = await fetch(`/api/documents/${id}/file?inline`);
            return [media_type, headers.get("content-disposition").split(";")[0], headers.get("content-security-policy")];
          };
          return Promise.all(documents.map(head));
        });
        assert.equal(heads.length, files.paths.length);
        for (const [type, shown, policy] of heads) {
          assert.match(policy, /^sandbox; default-src 'none'/, type);
          assert.equal(shown, /^text\/(plain|markdown|csv)$/.test(type) ? "inline" : "attachment", type);
        }

        // Each file is found by what it alone says, and opened where it says it.
        for (const [name, says] of Object.entries(SAYS)) {
          await library.searchFor(page, says);
          const first = library.hits(page).first();
          assert.match(await first.locator(".hit-name").innerText(), new RegExp(name), says);
          assert.ok((await first.locator("mark").count()) > 0, `${name}: what was asked for is marked`);
        }
        wrong.push(...(await look(page, "search-found")));
        await library.hits(page).first().locator(".hit-open").click();
        const pdf = page.locator('[data-source="page"]');
        await pdf.locator(".textLayer mark").first().waitFor();
        assert.equal(await pdf.getAttribute("data-page"), "2");
        const letters = (text) => text.replace(/[^\p{L}]+/gu, "");
        const marked = letters((await pdf.locator("mark").allInnerTexts()).join(""));
        assert.ok(marked.includes(letters(SECOND_PAGE)), marked);
        wrong.push(...(await look(page, "source-page")));
        // The marks stay on their words when the page becomes narrower.
        const place = () => pdf.locator(".pdf-page").evaluate((holder) => {
          const [page, mark] = [holder, holder.querySelector("mark")].map((node) => node.getBoundingClientRect());
          return [(mark.left - page.left) / page.width, (mark.top - page.top) / page.height, mark.width / page.width].map((share) => share.toFixed(2));
        });
        // pdf.js lays its text anew after the page is, also behind what `look` did.
        const settled = async () => {
          let [last, n_same] = [await place(), 0];
          for (let n = 0; n < 100 && n_same < 8; n++) {
            await page.waitForTimeout(100);
            const now = await place();
            n_same = String(now) === String(last) ? n_same + 1 : 0;
            last = now;
          }
          return last;
        };
        const wide = await settled();
        await page.setViewportSize({ width: 390, height: 844 });
        await page.waitForFunction(() => document.querySelector(".pdf-page").clientWidth < 390);
        assert.deepEqual(await settled(), wide);
        await page.setViewportSize({ width: 1280, height: 800 });

        await page.getByRole("button", { name: "Text", exact: true }).click();
        await page.locator(".doc-text mark").first().waitFor();
        assert.match((await page.locator(".doc-text mark").allInnerTexts()).join(" "), /Beehives/);
        wrong.push(...(await look(page, "doc-text")));

        // The back button leads back; the address alone leads to the passage.
        const address = page.url();
        await page.goBack();
        await library.hits(page).first().waitFor();
        const again = await open(context, address);
        await again.page.locator(".textLayer mark").first().waitFor();
        assert.deepEqual(again.complaints, NO_COMPLAINTS);
        await again.page.close();

        await library.goTo(page, "#/documents");
        await page.locator('.collection[data-collection="handbook-rules"]').click();
        await page.getByRole("button", { name: "Delete handbook.md" }).click();
        wrong.push(...(await look(page, "documents-delete")));
        await library.confirmWith(page, "Delete");
        await page.locator("[data-document]").filter({ hasText: "handbook.md" }).waitFor({ state: "detached" });
        await library.searchFor(page, SAYS["handbook.md"]);
        assert.ok(!(await library.hits(page).allInnerTexts()).join().includes("stairwell"));
        await library.searchFor(page, "Quantenchromodynamik");
        await page.locator('[data-state="no-hits"]').waitFor();
        wrong.push(...(await look(page, "search-nothing")));
        assert.deepEqual(complaints, NO_COMPLAINTS);
      } finally {
        await files.remove();
      }
      assert.deepEqual(wrong, []);
    }),
  );

  it("are found and opened with the keyboard alone", { timeout: 180_000 }, () =>
    withBrowser({}, async (context) => {
      const { page } = await open(context, `${server.origin}/#/search`);
      const box = page.getByRole("searchbox", { name: "Search the documents" });
      await box.waitFor();
      await page.waitForFunction(() => document.activeElement?.id === "library-search");
      await page.keyboard.type("Mitgliedsbeitrag");
      await page.keyboard.press("Enter");
      await library.hits(page).first().waitFor();
      await page.keyboard.press("ArrowDown");
      assert.equal(await page.evaluate(() => document.activeElement?.className), "hit-open");
      await page.keyboard.press("ArrowUp");
      assert.equal(await page.evaluate(() => document.activeElement?.id), "library-search");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      await page.locator(".doc-text mark").first().waitFor();
      await page.goBack();
      await library.hits(page).first().waitFor();
    }),
  );

  it("say what is wrong with a file, and let it be tried again", { timeout: 180_000 }, () =>
    withBrowser({ locale: "de-DE" }, async (context) => {
      const broken = await oneFile("kaputt.pdf", "%PDF-1.4\nThis is no PDF.\n");
      try {
        const { page } = await open(context, `${server.origin}/#/documents?collection=handbook-rules`);
        await page.locator(".drop-zone").waitFor();
        await library.addFiles(page, [broken.path]);
        await library.documentIs(page, "kaputt.pdf", "failed");
        const row = page.locator("[data-doc-state=failed]");
        assert.match(await row.locator("[data-error]").getAttribute("data-error"), /^(document|extract)_/);
        assert.deepEqual(await look(page, "documents-failed"), []);
        await page.getByRole("button", { name: "kaputt.pdf noch einmal versuchen" }).click();
        await library.documentIs(page, "kaputt.pdf", "failed");
        await page.getByRole("button", { name: "kaputt.pdf löschen" }).click();
        await library.confirmWith(page, "Löschen");
        await row.waitFor({ state: "detached" });
      } finally {
        await broken.remove();
      }
    }),
  );

  it("do not run what hostile names and texts hold", { timeout: 180_000 }, () =>
    withBrowser({}, async (context) => {
      const name = "<img src=x onerror=globalThis.hacked=1>.html";
      const text = '<main><p>Harmless gooseberries.</p><img src="https://evil.example/x.png" onerror="hacked=1"><script>hacked=1</script><a href="javascript:hacked=1">click</a><p>&lt;script&gt;hacked=1&lt;/script&gt;</p></main>';
      const hostile = await oneFile(name, text);
      try {
        const { page, complaints } = await open(context, `${server.origin}/#/documents?collection=handbook-rules`);
        await page.locator(".drop-zone").waitFor();
        await library.addFiles(page, [hostile.path]);
        await library.documentIs(page, "onerror", "ready");
        await library.searchFor(page, "gooseberries");
        await library.hits(page).first().locator(".hit-open").click();
        await page.locator(".doc-text").waitFor();
        assert.equal(await page.locator(".library :is(img, script, iframe), .doc-text a").count(), 0);
        assert.equal(await page.evaluate(() => globalThis.hacked), undefined);
        assert.deepEqual(complaints, NO_COMPLAINTS);
      } finally {
        await hostile.remove();
      }
    }),
  );

  it("cannot be changed by who may only read them", { timeout: 180_000 }, async () => {
    await server.stop();
    server = await startServer({ data: data.folder, env: { ...WORDS, PORTICO_ACCESS_PAGE_MANAGES: "false" } });
    await withBrowser({}, async (context) => {
      const { page } = await open(context, `${server.origin}/#/documents?collection=handbook-rules`);
      await page.locator("[data-document]").first().waitFor();
      assert.equal(await page.locator(".drop-zone, .doc-actions, .button.danger").count(), 0);
      await page.getByText("Read only").first().waitFor();
      assert.deepEqual(await look(page, "documents-read-only"), []);
    });
  });
});

describe("documents on the device", () => {
  let data;
  let server;
  before(async () => {
    data = await freshData();
    server = await startServer({ data: data.folder, env: WORDS });
  });
  after(async () => {
    await server.stop();
    await data.remove();
  });

  const SECRET = "Zwetschgenmus";
  const DIARY = `# Tagebuch\n\nIm Keller lagern elf Gläser ${SECRET}, dazu Kerzen und ein Schlitten.\n\n# Garten\n\nDie Johannisbeeren wurden im Juli geerntet.\n`;

  it("never leave it, survive a reload, are found, opened and deleted", { timeout: 300_000 }, async () => {
    const proxy = await startProxy(server.origin);
    const wrong = [];
    try {
      await withBrowser({ serviceWorkers: "block" }, async (context) => {
        const files = await realFiles(context);
        const diary = await oneFile("tagebuch.md", DIARY);
        const { page, complaints } = await open(context, `${proxy.origin}/${DEVICE}`);
        await page.locator(".drop-zone").waitFor();
        await library.addFiles(page, [diary.path, files.paths.at(-1)]);
        await library.documentIs(page, "tagebuch.md", "ready");
        await library.documentIs(page, "bees.pdf", "ready");
        wrong.push(...(await look(page, "device-documents")));

        await page.reload();
        await library.documentIs(page, "tagebuch.md", "ready");
        await library.searchFor(page, "Schlitten");
        const hit = library.hits(page).first();
        assert.equal(await hit.getAttribute("data-collection"), "on.device");
        assert.match(await hit.innerText(), new RegExp(SECRET));
        wrong.push(...(await look(page, "device-search")));
        await hit.locator(".hit-open").click();
        await page.locator(".doc-text mark").first().waitFor();
        assert.match(await page.locator(".doc-text").innerText(), new RegExp(SECRET));
        wrong.push(...(await look(page, "device-source")));

        // The page of a PDF, from the bytes that are kept here.
        await library.searchFor(page, "Beehives chapel");
        await library.hits(page).first().locator(".hit-open").click();
        await page.locator(".textLayer mark").first().waitFor();

        const sent = Buffer.concat(proxy.sent.flatMap(({ head, body }) => [Buffer.from(head), ...body])).toString("latin1");
        const words = [SECRET, "Johannisbeeren", "Tagebuch", "forty metres", "%PDF"];
        for (const word of words) assert.ok(!sent.includes(word), `${word} was sent`);
        assert.ok(!/POST \/api\/(collections|documents)/.test(sent));

        await library.goTo(page, DEVICE);
        await page.getByRole("button", { name: "Delete tagebuch.md" }).click();
        await library.confirmWith(page, "Delete");
        await page.locator("[data-document]").filter({ hasText: "tagebuch.md" }).waitFor({ state: "detached" });
        await library.searchFor(page, SECRET);
        await page.locator('[data-state="no-hits"]').waitFor();
        assert.deepEqual(complaints, NO_COMPLAINTS);
        await diary.remove();
        await files.remove();
      });
    } finally {
      await proxy.close();
    }
    assert.deepEqual(wrong, []);
  });

  it("are cited by answers, which then stay on the device as well", { timeout: 400_000 }, async () => {
    const proxy = await startProxy(server.origin);
    const fact = "The mill of the association is open from nine to seven on weekdays.";
    try {
      await withBrowser({ serviceWorkers: "block" }, async (context) => {
        const note = await oneFile("mill.txt", `${fact}\n`);
        const { page, complaints } = await open(context, `${proxy.origin}/?debug${DEVICE}`);
        await page.locator(".drop-zone").waitFor();
        await library.addFiles(page, [note.path]);
        await library.documentIs(page, "mill.txt", "ready");
        await page.getByRole("button", { name: "New conversation" }).click();
        await person.loadOffered(page);
        await page.locator(".docs-choice summary").click();
        await page.getByRole("checkbox", { name: /^On this device/ }).check();
        await page.keyboard.press("Escape");
        await person.nextPlaceIs(page, "device");
        await person.isReady(page);
        await person.choosesLikeliest(page);
        await person.ask(page, "When is the mill open on weekdays?");
        await person.answerIs(page, "done");
        const answer = page.locator('[data-role="assistant"]').last();
        assert.equal(await answer.getAttribute("data-place"), "device");
        const chip = answer.locator(".answer [data-source]").first();
        await chip.focus();
        const card = answer.locator(".source-card");
        await card.waitFor();
        assert.equal(await card.locator(".source-text").innerText(), fact);
        const href = await card.locator("a").getAttribute("href");
        await library.goTo(page, href);
        await page.locator(".doc-text mark").first().waitFor();
        assert.equal((await page.locator(".doc-text").innerText()).trim(), fact);
        const sent = Buffer.concat(proxy.sent.flatMap(({ head, body }) => [Buffer.from(head), ...body])).toString("latin1");
        for (const word of ["association is open", "When is the mill", "/v1/chat", "/api/search"]) assert.ok(!sent.includes(word), `${word} was sent`);
        assert.deepEqual(complaints, NO_COMPLAINTS);
        await note.remove();
      });
    } finally {
      await proxy.close();
    }
  });

  it("are read without the server, and shared by the tabs of a profile", { timeout: 180_000 }, () =>
    withBrowser({}, async (context) => {
      const diary = await oneFile("tagebuch.md", DIARY);
      const first = (await open(context, `${server.origin}/${DEVICE}`)).page;
      const second = (await open(context, `${server.origin}/${DEVICE}`)).page;
      await second.locator('[data-state="no-documents"]').waitFor();
      await library.addFiles(first, [diary.path]);
      await library.documentIs(second, "tagebuch.md", "ready");
      await context.setOffline(true);
      await first.locator('[data-condition="library-offline"]').waitFor();
      await library.searchFor(first, "Kerzen");
      await library.hits(first).first().locator(".hit-open").click();
      await first.locator(".doc-text mark").first().waitFor();
      assert.deepEqual(await look(first, "documents-offline"), []);
      await context.setOffline(false);
      await diary.remove();
    }),
  );

  it("are whole or not there after a crash in mid-write", { timeout: 120_000 }, () =>
    withBrowser({}, async (context) => {
      const diary = await oneFile("tagebuch.md", DIARY);
      const { page } = await open(context, `${server.origin}/${DEVICE}`);
      await page.locator(".drop-zone").waitFor();
      await library.addFiles(page, [diary.path]);
      await library.documentIs(page, "tagebuch.md", "ready");
      // A file that was cut short: what a killed tab leaves.
      await page.evaluate(async () => {
        const root = await navigator.storage.getDirectory();
        const folder = await root.getDirectoryHandle("documents");
        for await (const [name, handle] of folder.entries()) {
          const whole = new Uint8Array(await (await handle.getFile()).arrayBuffer());
          const half = await folder.getFileHandle(name.replace(/^.{8}/, "00000000"), { create: true });
          const writer = await half.createWritable();
          await writer.write(whole.slice(0, whole.length - 5));
          await writer.close();
        }
      });
      await page.reload();
      await library.documentIs(page, "tagebuch.md", "ready");
      assert.equal(await page.locator("[data-document]").count(), 1);
      const names = await page.evaluate(async () => {
        const root = await navigator.storage.getDirectory();
        const found = [];
        for await (const name of (await root.getDirectoryHandle("documents")).keys()) found.push(name);
        return found;
      });
      assert.ok(names.every((name) => !name.startsWith("00000000")), names.join());
      await diary.remove();
    }),
  );

  it("are refused by name where they cannot be kept or read", { timeout: 120_000 }, () =>
    withBrowser({}, async (context) => {
      const film = await oneFile("film.docx", "PK");
      const page = await context.newPage();
      await page.goto(server.origin);
      await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
      // The disk is full before the views are fetched: they are shown all the same.
      const session = await context.newCDPSession(page);
      await session.send("Storage.overrideQuotaForOrigin", { origin: server.origin, quotaSize: 1024 });
      await page.goto(`${server.origin}/${DEVICE}`);
      await page.locator(".drop-zone").waitFor();
      await library.addFiles(page, [film.path]);
      await page.locator('[data-upload] [data-error="device_type_unknown"]').waitFor();
      const large = await oneFile("large.txt", "word and word. ".repeat(2_000));
      await library.addFiles(page, [large.path]);
      await page.locator('[data-upload] [data-error="device_storage_full"]').waitFor();
      assert.deepEqual(await look(page, "device-refused"), []);
      await film.remove();
      await large.remove();
    }),
  );
});
