// A conversation of five thousand messages: opened, scrolled to its first one, written in; and opened on a phone.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { open, withBrowser } from "../lib/browser.mjs";
import * as log from "../lib/log.mjs";
import * as scripts from "../lib/scripts.mjs";
import { startServer } from "../lib/server.mjs";
import { ownMs, tasksOf } from "../lib/trace.mjs";

const N_MESSAGES = 5000;
const TITLE = "The long one";
const OPEN_MS_MAX = 300;
const FRAME_MS_MAX = 50;
/** Of the frames of scrolling, which are hundreds: what else the machine does takes a few now and then. */
const DISTURBED_MAX = 0.005;
/** Functions that the first opening may compile: 180, and 511 where the page did nothing for it while it was idle. */
const COMPILED_MAX = 300;
const PHONE = { width: 390, height: 844 };

const answer = (i) =>
  [
    `### Answer ${i}`,
    `A bridge needs **${i} bolts**, as \`bolts(${i})\` says; see the list:`,
    "- first the piers\n- then the deck\n- at last the rails",
    "```rust\nfn bolts(n: u32) -> u32 {\n    n * 3 + 1\n}\n```",
    "| part | n |\n| --- | --- |\n| pier | 2 |\n| deck | 1 |",
    "The clerk wrote it down and put the paper into the third drawer. ".repeat(i % 7),
  ].join("\n\n");

const text = (i) => (i % 2 ? answer(i) : `Question ${i}: how many bolts does the bridge need?`);

/** Frames over 50 ms since it was last called: when they began and how long they took. */
const longFrames = (page) => page.evaluate(() => globalThis.longFrames.splice(0));

/** Starts the page with no conversation open, and waits until it has nothing to do. */
async function startsAnew(page) {
  await page.evaluate(() => history.replaceState(null, "", "/"));
  await page.reload();
  await page.locator(".row-open", { hasText: TITLE }).waitFor({ state: "attached" });
  await page.waitForFunction(() => !document.querySelector(".skeleton"));
  await page.waitForTimeout(3000);
  await longFrames(page);
}

/** Opens the conversation; gives how long it took until its end was in view, in milliseconds. */
async function opens(page) {
  const openMs = await page.evaluate(
    (title) =>
      new Promise((done) => {
        const row = [...document.querySelectorAll(".row-open")].find((node) => node.textContent.includes(title));
        const start = performance.now();
        const look = () => {
          if (performance.now() - start > 10_000) return done(Infinity);
          const newest = [...document.querySelectorAll("[data-role]")].at(-1);
          const box = newest?.getBoundingClientRect();
          // Painted in the frame before this one, and in view.
          if (newest?.textContent.includes("Answer 4999") && box.top < innerHeight) done(performance.now() - start);
          else requestAnimationFrame(look);
        };
        row.click();
        requestAnimationFrame(look);
      }),
    TITLE,
  );
  // What lies above the view is made with the frames that follow.
  await page.waitForTimeout(500);
  return { openMs, frames: await longFrames(page) };
}

describe("a conversation of five thousand messages", () => {
  let server;
  before(async () => (server = await startServer()));
  after(() => server.stop());

  it("opens, scrolls and is written in without a pause", { timeout: 240_000 }, () =>
    withBrowser({ gpu: false }, async (context) => {
      await context.addInitScript((least) => {
        globalThis.longFrames = [];
        new PerformanceObserver((list) => {
          const long = list.getEntries().filter(({ duration }) => duration > least);
          globalThis.longFrames.push(...long.map(({ startTime, duration }) => ({ start: startTime, ms: duration })));
        }).observe({ type: "long-animation-frame" });
      }, FRAME_MS_MAX);
      const { page } = await open(context, server.origin);
      await scripts.ready(page);
      await log.append(page, log.conversation(TITLE, Array.from({ length: N_MESSAGES }, (_, i) => text(i))));
      await startsAnew(page);

      const opened = await tasksOf(page, () => opens(page));
      const moved = await tasksOf(page, async () => {
        // A person at the wheel: a notch each frame, to the first message.
        const wheeled = await page.evaluate(
          () =>
            new Promise((done) => {
              const scroller = document.querySelector(".messages");
              const start = performance.now();
              let atTop = 0;
              let frames = 0;
              const step = () => {
                frames += 1;
                scroller.scrollTop -= 400;
                atTop = scroller.scrollTop <= 0 ? atTop + 1 : 0;
                const isDone = atTop > 30 || performance.now() - start > 120_000;
                if (isDone) done({ frames, ms: performance.now() - start, first: document.querySelector("[data-role]").textContent });
                else requestAnimationFrame(step);
              };
              requestAnimationFrame(step);
            }),
        );
        const whileScrolling = await longFrames(page);
        const composer = page.getByRole("textbox", { name: /^Message$/ });
        await composer.pressSequentially("How many bolts are there in all of the bridges that we spoke of?", { delay: 20 });
        return { wheeled, whileScrolling, whileTyping: await longFrames(page) };
      });

      await page.setViewportSize(PHONE);
      await startsAnew(page);
      const phone = await tasksOf(page, () => opens(page));

      const { wheeled, whileScrolling, whileTyping } = moved.result;
      // What other programs took of a frame is not the page's.
      const own = (frames, { tasks }) =>
        frames.map((frame) => ({ ms: Math.round(frame.ms), own_ms: Math.round(ownMs(frame, tasks)) }));
      const opening = own(opened.result.frames, opened);
      const scrolling = own(whileScrolling, moved);
      const typing = own(whileTyping, moved);
      const onPhone = own(phone.result.frames, phone);
      const longest = (frames) => [...frames].sort((a, b) => b.own_ms - a.own_ms).slice(0, 5);
      const told = (frames) => `${frames.length} frames over ${FRAME_MS_MAX} ms ${JSON.stringify(longest(frames))}`;
      const report = [
        `opened in ${opened.result.openMs.toFixed(0)} ms, ${opened.compiled} functions compiled, ${told(opening)}`,
        `scrolled to the first message in ${wheeled.ms.toFixed(0)} ms and ${wheeled.frames} frames, ${told(scrolling)}`,
        `written in: ${told(typing)}`,
        `opened on a phone in ${phone.result.openMs.toFixed(0)} ms, ${told(onPhone)}`,
      ].join("\n");
      console.log(report);
      assert.match(wheeled.first, /^Question 0:/);
      assert.ok(opened.result.openMs <= OPEN_MS_MAX && phone.result.openMs <= OPEN_MS_MAX, report);
      const tooLong = (frames) => frames.filter(({ own_ms }) => own_ms > FRAME_MS_MAX);
      assert.deepEqual([...tooLong(opening), ...tooLong(typing), ...tooLong(onPhone)], [], report);
      assert.ok(tooLong(scrolling).length <= wheeled.frames * DISTURBED_MAX, report);
      assert.ok(opened.compiled <= COMPILED_MAX, report);
    }),
  );
});
