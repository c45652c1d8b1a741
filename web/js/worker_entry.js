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

// Called by the Wasm when a request asks for a form: what knows forms is only fetched then. After a
// panic in it, it is started anew, which takes another name of the module.
let grammar;
let grammarStarts = 0;
globalThis.loadVocabulary = async (fresh, bytes, ends, endIds) => {
  // The Wasm's memory may move while the other one is fetched.
  const table = [bytes.slice(), ends.slice(), endIds.slice()];
  if (fresh) grammar = undefined;
  try {
    grammar ??= await import(`./grammar.js?${grammarStarts++}`);
    await grammar.default({ module_or_path: new URL("./grammar_bg.wasm", import.meta.url) });
    return new grammar.Vocabulary(...table);
  } catch (error) {
    grammar = undefined;
    throw error;
  }
};

const { memory } = await init({ module_or_path: new URL("./worker_bg.wasm", import.meta.url) });

// The Wasm heap only grows: a browser test holds it against a bound.
globalThis.wasmHeapBytes = () => memory.buffer.byteLength;
