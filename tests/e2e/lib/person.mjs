// What a person does with the page, by the names and attributes that it promises.

/** Loads the model that the first visit offers. */
export const loadOffered = (page) => page.getByRole("button", { name: /^(Load model|Modell laden)/ }).click();

/** Waits until a model of the page is ready. */
export const isReady = (page, timeout = 400_000) =>
  page.locator('[data-model-state="ready"]').first().waitFor({ state: "attached", timeout });

/** Writes a message and sends it. Where that cannot be, the error says how the page stands. */
export async function ask(page, text) {
  // What is behind a dialog that is just closing takes no text, and Playwright does not notice.
  await page.locator("dialog[open]").waitFor({ state: "detached" });
  await page.getByRole("textbox", { name: /^(Message|Nachricht)$/ }).fill(text);
  const send = page.getByRole("button", { name: /^(Send|Senden)$/ });
  await send.click({ timeout: 60_000 }).catch(async (cause) => {
    throw new Error(`not sent: ${JSON.stringify(await stand(page))}`, { cause });
  });
}

/** What decides whether a message can be sent. */
const stand = (page) =>
  page.evaluate(() => {
    const all = (selector, read) => [...document.querySelectorAll(selector)].map(read);
    return {
      address: location.hash,
      written: all(".composer textarea", (box) => box.value),
      routes: all(".place-line", (line) => `${line.dataset.route}: ${line.innerText}`),
      models: all("[data-model-state]", (model) => model.dataset.modelState),
      conditions: all("[data-condition]", (condition) => condition.dataset.condition),
      answers: all('[data-role="assistant"]', (answer) => answer.dataset.state),
      attached: all(".composer [data-stage], .composer .attachment", (one) => one.innerText),
    };
  });

/** Has the next conversation answered with the likeliest words, so that a reference can be met. */
export async function choosesLikeliest(page) {
  await page.getByRole("button", { name: /^(Settings|Einstellungen)$/ }).click();
  await page.getByRole("slider").fill("0");
  await page.keyboard.press("Escape");
}

/** As {@link choosesLikeliest}, and ends answers after so many tokens: where it matters that there is one. */
export async function answersShortly(page, nTokens = 20) {
  await page.getByRole("button", { name: /^(Settings|Einstellungen)$/ }).click();
  await page.getByRole("slider").fill("0");
  await page.getByRole("spinbutton").fill(String(nTokens));
  await page.keyboard.press("Escape");
}

export const stop = (page) => page.getByRole("button", { name: /^(Stop|Anhalten)$/ }).click();

/**
 * Stops the newest answer where it goes on, and waits until it does not. In one step on the page's thread: an
 * answer that ends by itself between a look at the button and a press makes it Send, which nobody can press.
 */
export async function stopIfGoing(page) {
  await page.evaluate(() => document.querySelector(".composer .stop")?.click());
  await page.locator('[data-role="assistant"]').last().and(page.locator(':not([data-state="streaming"])')).waitFor();
}

/** Waits until the newest answer is in a state: loading, streaming, done, stopped, error. */
export const answerIs = (page, state, timeout = 240_000) =>
  page.locator('[data-role="assistant"]').last().and(page.locator(`[data-state="${state}"]`)).waitFor({ timeout });

/** Waits until the newest answer has ended by itself: by its end, or by the guard against circles. A draft that was left behind has not. */
export const hasEnded = (page, timeout = 240_000) => {
  const newest = page.locator('[data-role="assistant"]').last();
  const circled = newest.filter({ hasText: "began to repeat itself" });
  return newest.and(page.locator('[data-state="done"]')).or(circled).waitFor({ timeout });
};

/** Chooses where the open conversation is answered: auto, device or server. */
export const choosesPlace = (page, place) =>
  page.getByRole("combobox", { name: /^(Where answers are computed|Wo Antworten berechnet werden)$/ }).selectOption(place);

/** Waits until the page says where the next message would be answered: device, server, nowhere. */
export const nextPlaceIs = (page, place) =>
  page.locator(`.place-line[data-route="${place}"]`).waitFor({ timeout: 60_000 });

/** Waits for a condition that the page names: offline, no-webgpu, device-lost, … */
export const conditionIs = (page, name) => page.locator(`[data-condition="${name}"]`).waitFor({ timeout: 60_000 });
