// Does the engine in the browser choose the tokens that a float32 reference chose?

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, it } from "node:test";
import { open, withBrowser } from "../lib/browser.mjs";
import * as scripts from "../lib/scripts.mjs";
import { startServer } from "../lib/server.mjs";
import { MODEL } from "../lib/settings.mjs";

const REFERENCE = new URL("../../reference/smollm2-135m-q4_1.f32.json", import.meta.url);
/** Where the reference's own choice is closer than this, either token will do. */
const CLOSE_CALL = 0.05;
const MIN_POSITIONS = 100;
const MIN_AGREEMENT = 0.99;

let server;
before(async () => (server = await startServer()));
after(() => server.stop());

it("agrees with the float32 reference under forced decoding", { timeout: 480_000 }, () =>
  withBrowser({}, async (context) => {
    const reference = JSON.parse(await readFile(REFERENCE, "utf8"));
    const { page } = await open(context, server.origin);
    await scripts.ready(page);
    let positions = 0;
    const misses = [];
    for (const prompt of reference.prompts) {
      if (positions >= MIN_POSITIONS) break;
      const generated = prompt.generated_ids;
      const completion = await scripts.complete(page, {
        model: MODEL,
        prompt: [...prompt.prompt_ids, ...generated],
        echo: true,
        max_tokens: 0,
        logprobs: 2,
      });
      const { token_ids, top_token_ids } = completion.choices[0].logprobs;
      assert.deepEqual(token_ids, [...prompt.prompt_ids, ...generated]);
      assert.equal(top_token_ids[0], null, "nothing stands before the first token");
      generated.forEach((id, step) => {
        if (prompt.steps[step].gap_to_2nd <= CLOSE_CALL) return;
        positions += 1;
        const best = top_token_ids[prompt.prompt_ids.length + step][0];
        if (best !== id) misses.push(`${prompt.id} step ${step}: ${best}, not ${id}`);
      });
    }
    const agreement = 1 - misses.length / positions;
    console.log(`same top token at ${(100 * agreement).toFixed(2)} % of ${positions} positions`);
    assert.ok(positions >= MIN_POSITIONS);
    assert.ok(agreement >= MIN_AGREEMENT, misses.join("\n"));
  }),
);
