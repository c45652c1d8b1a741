// Starts the engine's worker. Messages that the page sends before the Wasm listens are kept: the
// Wasm takes them over by `takeEarlyMessages`.

import "./request_device.js";
import init from "./worker.js";

const early = [];
globalThis.onmessage = (event) => early.push(event.data);
globalThis.takeEarlyMessages = () => early.splice(0);

// Called by the Wasm's panic hook. The page hears of it by the worker's `error` event; closing the
// worker gives its locks back, so that another tab can take over.
globalThis.crash = (message) => {
  setTimeout(() => {
    throw new Error(message);
  });
  setTimeout(() => globalThis.close(), 100);
};

const { memory } = await init({ module_or_path: new URL("./worker_bg.wasm", import.meta.url) });

// The Wasm heap only grows: a browser test holds it against a bound.
globalThis.wasmHeapBytes = () => memory.buffer.byteLength;
