// The page's call for scripts, from a test.

/** Waits until `window.portico` is there and the engine's worker has told what the device is. */
export async function ready(page) {
  await page.waitForFunction(() => Boolean(globalThis.portico?.chat?.completions), undefined, { timeout: 60_000 });
  await page.evaluate(async () => void (await globalThis.portico.ready));
}

/** Unless a test says otherwise it is the device that is tried: the server would mend what is to be seen. */
const onDevice = (request) => ({ place: "device", ...request });

/** `window.portico.chat.completions.create(request)`. */
export const chat = (page, request) =>
  page.evaluate((wanted) => globalThis.portico.chat.completions.create(wanted), onDevice(request));

/** `window.portico.completions.create(request)`. */
export const complete = (page, request) =>
  page.evaluate((wanted) => globalThis.portico.completions.create(wanted), onDevice(request));

/** Bytes of the engine's Wasm heap, the largest of the page's workers. */
export async function wasmHeapBytes(page) {
  const sizes = await Promise.all(
    page.workers().map((worker) => worker.evaluate(() => globalThis.wasmHeapBytes?.() ?? 0).catch(() => 0)),
  );
  return Math.max(0, ...sizes);
}
