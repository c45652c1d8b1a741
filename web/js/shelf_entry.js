// Starts the worker that keeps the documents of this browser, and answers one message after the other. A
// lock keeps the tabs of a profile apart: only one of them reads and writes at a time.

import init, { answer, forget } from "./shelf.js";

const LOCK = "portico-shelf";
const ready = init({ module_or_path: new URL("./shelf_bg.wasm", import.meta.url) });
const others = new BroadcastChannel(LOCK);

const alone = (work) => (navigator.locks ? navigator.locks.request(LOCK, work) : work());

others.onmessage = async () => {
  await ready;
  await alone(async () => forget());
  postMessage({ changed: true });
};

onmessage = async ({ data: { id, message, bytes } }) => {
  try {
    await ready;
    const [said, beside, hasChanged] = await alone(() => answer(message, bytes));
    postMessage({ id, message: said, bytes: beside }, beside ? [beside.buffer] : []);
    if (hasChanged) {
      postMessage({ changed: true });
      others.postMessage("changed");
    }
  } catch (error) {
    // A bug: the page hears of it by the worker's `error` event.
    setTimeout(() => {
      throw error;
    });
  }
};
