// Real files for documents: texts as they are, a PDF as Chromium prints it.

import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as settings from "./settings.mjs";

/** A data folder of its own that finds the tests' models. */
export async function freshData() {
  const folder = await mkdtemp(join(tmpdir(), "portico-data-"));
  await symlink(join(settings.data(), "models"), join(folder, "models"));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

const PARAGRAPH = "The association keeps the meadow, the well and the path to the mill in good order.";

/** What the PDF says on its second page. */
export const SECOND_PAGE = "Beehives stand behind the chapel, forty metres from the path.";

/** What each file says that no other says. */
export const SAYS = {
  "satzung.txt": "Der Mitgliedsbeitrag beträgt vierundzwanzig Euro im Jahr und ist im Januar fällig.",
  "handbook.md": "Bicycles are parked in the courtyard, never in the stairwell.",
  "members.csv": "Treasurer",
  "opening.html": "The library opens on Tuesdays from ten to six.",
  "bees.pdf": SECOND_PAGE,
};

/** Files by name, with the PDF that `browser` prints. */
export async function realFiles(context) {
  const folder = await mkdtemp(join(tmpdir(), "portico-files-"));
  const page = await context.newPage();
  await page.setContent(`<h1>Garden report</h1>${`<p>${PARAGRAPH}</p>`.repeat(12)}
    <h1 style="break-before: page">Bees</h1><p>${PARAGRAPH}</p><p>${SECOND_PAGE}</p>`);
  const pdf = await page.pdf({ format: "A4" });
  await page.close();
  const contents = {
    "satzung.txt": `Satzung\n=======\n\n${SAYS["satzung.txt"]}\n\nDer Verein hat seinen Sitz in Bremen.\n`,
    "handbook.md": `# Handbook\n\n## Courtyard\n\n${SAYS["handbook.md"]}\n\n- Bins go out on Monday.\n- Bring them back on Tuesday.\n`,
    "members.csv": "name,role\nAda,Treasurer\nBruno,Gardener\n",
    "opening.html": `<!doctype html><title>Opening hours</title><main><h1>Opening hours</h1><p>${SAYS["opening.html"]}</p></main>`,
    "bees.pdf": pdf,
  };
  const paths = [];
  for (const [name, content] of Object.entries(contents)) {
    paths.push(join(folder, name));
    await writeFile(join(folder, name), content);
  }
  return { folder, paths, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** A file of its own, in a folder of its own. */
export async function oneFile(name, content) {
  const folder = await mkdtemp(join(tmpdir(), "portico-file-"));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), content);
  return { path: join(folder, name), remove: () => rm(folder, { recursive: true, force: true }) };
}
