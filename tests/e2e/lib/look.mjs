// Looks at a state of the page as it is: both themes, a phone's width and a desk's, and through axe.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { violations } from "./axe.mjs";
import * as settings from "./settings.mjs";

export const SIZES = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
];
export const SCHEMES = ["dark", "light"];
export const LANGS = ["de", "en"];

/**
 * Checks the state that the page is in; where pictures are asked for (`cargo xtask screens`) it takes them
 * in both languages too (`name-de-dark-1280.png`, …), for `screens.mjs`.
 * @returns {Promise<string[]>} what is wrong: axe's findings, and content that is wider than the page
 */
export async function look(page, name) {
  const wrong = [];
  const folder = settings.screenshots();
  if (folder) await mkdir(folder, { recursive: true });
  const first = await page.evaluate(() => document.documentElement.lang);
  for (const lang of folder ? LANGS : [first]) {
    if (folder) await speak(page, lang);
    for (const size of SIZES) {
      await page.setViewportSize(size);
      for (const colorScheme of SCHEMES) {
        const state = `${name}-${lang}-${colorScheme}-${size.width}`;
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await painted(page);
        const found = await violations(page);
        wrong.push(...found.map((line) => `${state}: ${line}`));
        if (folder) await page.screenshot({ path: join(folder, `${state}.png`) });
      }
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (overflow > 0) wrong.push(`${name}, ${lang}: ${overflow} px wider than a page of ${size.width} px`);
    }
  }
  if (folder) await speak(page, first);
  await page.setViewportSize(SIZES[0]);
  return wrong;
}

/** Two frames: the first applies a change, the second has painted it. */
const painted = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

/** Has the browser say that its user reads `lang`; a page whose language was chosen keeps that. */
async function speak(page, lang) {
  await page.evaluate((lang) => {
    Object.defineProperty(navigator, "languages", { configurable: true, get: () => [lang] });
    window.dispatchEvent(new Event("languagechange"));
  }, lang);
  await painted(page);
}
