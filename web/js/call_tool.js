// Tools of the device run in a worker of their own, started with the first call and ended when one takes
// too long: the page never waits for a sum.

const PATIENCE_MS = 8_000;
const calls = new Map();
let lastId = 0;
let worker;

/**
 * @param {string} name
 * @param {string} args JSON
 * @returns {Promise<string>} the result; rejected with a string why there is none, and with null when
 *   it took too long
 */
export function callTool(name, args) {
  worker ??= start();
  const id = ++lastId;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => end(null), PATIENCE_MS);
    calls.set(id, { resolve, reject, timer });
    worker.postMessage({ id, name, args });
  });
}

function end(why) {
  worker?.terminate();
  worker = undefined;
  for (const { reject, timer } of calls.values()) {
    clearTimeout(timer);
    reject(why);
  }
  calls.clear();
}

function start() {
  const started = new Worker(new URL("./tools_entry.js", import.meta.url), { type: "module", name: "portico-tools" });
  started.onmessage = ({ data: { id, result, why } }) => {
    const call = calls.get(id);
    calls.delete(id);
    clearTimeout(call?.timer);
    if (why === undefined) call?.resolve(result);
    else call?.reject(why);
  };
  // A bug ended it, or it could not be fetched: the next call starts another.
  started.onerror = (event) => worker === started && end(event.message ?? "the worker could not be loaded");
  return started;
}
