// What a person does with the documents, by the names and attributes that their views promise.

/** Opens the documents from the sidebar, or by their address. */
export const openDocuments = (page) => page.locator('[data-open="library"]').click();

export const goTo = (page, hash) => page.evaluate((to) => void (location.hash = to), hash);

/** Makes a collection and opens it. */
export async function createCollection(page, title) {
  await page.getByRole("button", { name: /^(New collection|Neue Sammlung)$/ }).click();
  await page.getByRole("textbox", { name: /^(Title|Titel)$/ }).fill(title);
  await page.getByRole("button", { name: /^(Create collection|Sammlung anlegen)$/ }).click();
  await page.locator(".drop-zone").waitFor();
}

/** Chooses files, as the button does. */
export const addFiles = (page, paths) => page.locator('[data-choose="files"]').setInputFiles(paths);

/** Waits until a document of that name is in a state. */
export const documentIs = (page, name, state, timeout = 120_000) =>
  page.locator(`[data-doc-state="${state}"]`).filter({ hasText: name }).waitFor({ timeout });

/** Searches, and waits for what was found. */
export async function searchFor(page, query) {
  await goTo(page, "#/search");
  await page.getByRole("searchbox", { name: /^(Search the documents|Dokumente durchsuchen)$/ }).fill(query);
  await page.keyboard.press("Enter");
  await page.locator('[data-hits], [data-state="no-hits"], .library .notice.error').first().waitFor();
}

export const hits = (page) => page.locator(".hit");

/** Says yes to the question that is asked. */
export const confirmWith = (page, name) =>
  page.locator("dialog.library-confirm").getByRole("button", { name }).click();
