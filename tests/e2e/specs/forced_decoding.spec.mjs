// Does the engine in the browser choose the tokens that a float32 reference chose?
//
// The reference's text is forced, so that each position is judged alone.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, it } from "node:test";
import { beforeWorker, open, withBrowser } from "../lib/browser.mjs";
import * as scripts from "../lib/scripts.mjs";
import { startServer } from "../lib/server.mjs";
import { MODEL } from "../lib/settings.mjs";

/** Where the reference's own choice is closer than this, either token will do. */
const CLEAR_GAP = 0.05;
const MIN_POSITIONS = 100;
const MIN_AGREEMENT = 0.99;
/** Tokens of prose beside the answers to prompts. */
const N_PROSE = 96;

const read = async (name) => JSON.parse(await readFile(new URL(`../../reference/${name}`, import.meta.url), "utf8"));

/** Without packed products the engine keeps activations in float32. */
const WITHOUT_DOT4 = `
  const { keys } = WGSLLanguageFeatures.prototype;
  WGSLLanguageFeatures.prototype.keys = function () {
    return keys.call(this).filter((name) => name !== "packed_4x8_integer_dot_product");
  };`;

/** Sequences with, for some positions, the token that the reference names next and by what margin. */
async function references() {
  const answers = await read("smollm2-135m-q4_1.f32.json");
  const prose = await read("smollm2-135m-q4_1.alice29.f32.json");
  return [
    ...answers.prompts.map(({ id, prompt_ids, steps }) => ({
      id,
      tokens: [...prompt_ids, ...steps.map((step) => step.id)],
      expected: steps.map((step, i) => ({ at: prompt_ids.length + i, best: step.id, gap: step.gap_to_2nd })),
    })),
    {
      id: "prose",
      tokens: prose.tokens.slice(0, N_PROSE),
      // `top[i]` follows `tokens[i]`.
      expected: prose.top.slice(0, N_PROSE - 1).map((best, i) => ({ at: i + 1, best, gap: prose.gap[i] })),
    },
  ];
}

let server;
before(async () => (server = await startServer()));
after(() => server.stop());

it("agrees with the float32 reference under forced decoding", { timeout: 480_000 }, () =>
  withBrowser({ serviceWorkers: "block" }, async (context) => {
    await beforeWorker(context, WITHOUT_DOT4);
    const { page } = await open(context, server.origin);
    await scripts.ready(page);
    const { device } = await page.evaluate(() => globalThis.portico.ready);
    assert.equal(device.dot4_i8, false, "the float32 path runs");
    let positions = 0;
    const misses = [];
    for (const { id, tokens, expected } of await references()) {
      const request = { model: MODEL, prompt: tokens, echo: true, max_tokens: 0, logprobs: 2 };
      const { token_ids, top_token_ids } = (await scripts.complete(page, request)).choices[0].logprobs;
      assert.deepEqual(token_ids, tokens);
      assert.equal(top_token_ids[0], null, "nothing stands before the first token");
      for (const { at, best, gap } of expected) {
        if (gap <= CLEAR_GAP) continue;
        positions += 1;
        if (top_token_ids[at][0] !== best) misses.push(`${id} position ${at}: ${top_token_ids[at]}, not ${best} (margin ${gap})`);
      }
    }
    const agreement = 1 - misses.length / positions;
    console.log(`same top token at ${(100 * agreement).toFixed(2)} % of ${positions} clear positions`);
    assert.ok(positions >= MIN_POSITIONS, `only ${positions} positions`);
    assert.ok(agreement >= MIN_AGREEMENT, misses.join("\n"));
  }),
);
