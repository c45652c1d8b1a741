// Makes of the pictures that `lib/look.mjs` took one small sheet a state: both sizes, themes and languages.
// `node screens.mjs FROM TO`, by `cargo xtask screens`.

import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withBrowser } from "./lib/browser.mjs";
import { LANGS, SCHEMES, SIZES } from "./lib/look.mjs";

/** Pixels of a sheet for each of the page. */
const SCALE = 0.36;
const GAP = 8;
const QUALITY = 0.5;

const [from, to] = process.argv.slice(2);
const ending = `-${LANGS[0]}-${SCHEMES[0]}-${SIZES[0].width}.png`;
const names = (await readdir(from)).filter((file) => file.endsWith(ending)).map((file) => file.slice(0, -ending.length));

await rm(to, { recursive: true, force: true });
await mkdir(to, { recursive: true });
let nBytes = 0;
await withBrowser({ gpu: false }, async (context) => {
  const page = await context.newPage();
  for (const name of names.sort()) {
    const sheet = await page.evaluate(draw, { rows: await pictures(name), SCALE, GAP, QUALITY });
    const bytes = Buffer.from(sheet.split(",")[1], "base64");
    nBytes += bytes.length;
    await writeFile(join(to, `${name}.webp`), bytes);
  }
});
console.log(`${names.length} sheets, ${Math.round(nBytes / 1000)} kB`);

/** A row a language, in it each size in each theme. */
async function pictures(name) {
  const rows = [];
  for (const lang of LANGS) {
    const row = [];
    for (const { width, height } of SIZES) {
      for (const scheme of SCHEMES) {
        const png = await readFile(join(from, `${name}-${lang}-${scheme}-${width}.png`));
        row.push({ url: `data:image/png;base64,${png.toString("base64")}`, width, height });
      }
    }
    rows.push(row);
  }
  return rows;
}

/** In the browser: the pictures on one canvas, as a data URL. */
async function draw({ rows, SCALE, GAP, QUALITY }) {
  const scaled = (pixels) => Math.round(pixels * SCALE);
  const heights = rows.map((row) => Math.max(...row.map(({ height }) => scaled(height))));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(...rows.map((row) => row.reduce((sum, { width }) => sum + scaled(width) + GAP, GAP)));
  canvas.height = heights.reduce((sum, height) => sum + height + GAP, GAP);
  const context = canvas.getContext("2d");
  context.fillStyle = "#808080";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  let y = GAP;
  for (const [i, row] of rows.entries()) {
    let x = GAP;
    for (const { url, width, height } of row) {
      const image = new Image();
      image.src = url;
      await image.decode();
      context.drawImage(image, x, y, scaled(width), scaled(height));
      x += scaled(width) + GAP;
    }
    y += heights[i] + GAP;
  }
  return canvas.toDataURL("image/webp", QUALITY);
}
