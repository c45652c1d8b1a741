// Looks at a state of the page as it is: both themes, a phone's width and a desk's, and through axe.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { violations } from "./axe.mjs";
import * as settings from "./settings.mjs";

const SIZES = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
];

/**
 * Checks the state that the page is in, and takes its pictures where they are asked for
 * (`name-1280.png`, `name-390.png`).
 * @returns {Promise<string[]>} what is wrong: axe's findings, and content that is wider than the page
 */
export async function look(page, name) {
  const wrong = [];
  const folder = settings.screenshots();
  if (folder) await mkdir(folder, { recursive: true });
  for (const size of SIZES) {
    await page.setViewportSize(size);
    for (const colorScheme of ["dark", "light"]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      // Two frames: the first applies the style, the second has painted it.
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      const found = await violations(page);
      wrong.push(...found.map((line) => `${name}, ${colorScheme}, ${size.width} px: ${line}`));
    }
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (overflow > 0) wrong.push(`${name}: ${overflow} px wider than a page of ${size.width} px`);
    if (folder) await page.screenshot({ path: join(folder, `${name}-${size.width}.png`) });
  }
  await page.setViewportSize(SIZES[0]);
  return wrong;
}
