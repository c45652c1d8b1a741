// Portico for other pages of the house: a hidden frame of the server's own origin computes (on the
// person's GPU or on the server), this module passes calls to it. Served at `/embed.js` to the pages
// that the administration allowed (`[access] embed_origins`).
//
//   import { connect } from "https://portico.example.org/embed.js";
//   const portico = await connect();
//   const answer = await portico.chat.completions.create({ model, messages });
//   for await (const chunk of portico.chat.completions.create({ model, messages, stream: true })) …

const ORIGIN = new URL(import.meta.url).origin;

/** What the frame answers, see `embed_frame.js`. */
class PorticoError extends Error {
  constructor({ message, code, status, detail }) {
    super(message);
    Object.assign(this, { name: "PorticoError", code, status, detail });
  }
}

/**
 * Puts the frame into this page and waits until its engine has said what it is.
 * @returns {Promise<object>} `chat.completions.create`, `completions.create`, `embeddings.create`,
 * `models.list` as `window.portico` of the portal has them, `device` and `storage`, and `close()`
 */
export async function connect({ timeoutMs = 30_000 } = {}) {
  const frame = document.createElement("iframe");
  Object.assign(frame, { src: `${ORIGIN}/embed`, title: "Portico", hidden: true });
  const { port1: port, port2: far } = new MessageChannel();
  const calls = new Map();
  try {
    const hello = new Promise((resolve, reject) => {
      const late = () => reject(new PorticoError({ message: `${ORIGIN} does not let this page embed it, or cannot be reached.`, code: "embed_refused", status: 403 }));
      const timer = setTimeout(late, timeoutMs);
      calls.set(0, (message) => {
        clearTimeout(timer);
        resolve(message.value);
      });
    });
    port.onmessage = ({ data }) => calls.get(data.id)?.(data);
    addEventListener("message", function isThere(event) {
      if (event.source !== frame.contentWindow || event.origin !== ORIGIN || event.data !== "portico-frame") return;
      removeEventListener("message", isThere);
      frame.contentWindow.postMessage("portico-connect", ORIGIN, [far]);
    });
    document.body.append(frame);
    const { device, storage } = await hello;
    const close = () => {
      port.close();
      frame.remove();
    };
    return { ...methods(port, calls), device, storage, close };
  } catch (error) {
    frame.remove();
    throw error;
  }
}

function methods(port, calls) {
  let lastId = 0;
  const begin = (method, request, hear) => {
    const id = ++lastId;
    calls.set(id, hear);
    port.postMessage({ id, method, request });
    return {
      abort: () => port.postMessage({ id, method: "abort" }),
      end: () => calls.delete(id),
    };
  };
  const call = (method) => (request, { signal } = {}) =>
    request?.stream ? stream(begin, method, request, signal) : whole(begin, method, request, signal);
  return {
    chat: { completions: { create: call("chat.completions.create") } },
    completions: { create: call("completions.create") },
    embeddings: { create: call("embeddings.create") },
    models: { list: call("models.list") },
  };
}

function whole(begin, method, request, signal) {
  return new Promise((resolve, reject) => {
    const running = begin(method, request, (message) => {
      running.end();
      if (message.error) reject(new PorticoError(message.error));
      else resolve(message.value);
    });
    signal?.addEventListener("abort", running.abort, { once: true });
  });
}

async function* stream(begin, method, request, signal) {
  const waiting = [];
  let wake = () => {};
  const running = begin(method, request, (message) => {
    waiting.push(message);
    wake();
  });
  signal?.addEventListener("abort", running.abort, { once: true });
  let isOver = false;
  try {
    for (;;) {
      const message = waiting.shift();
      if (!message) {
        await new Promise((resolve) => (wake = resolve));
        continue;
      }
      isOver = message.error !== undefined || message.done === true;
      if (message.error) throw new PorticoError(message.error);
      if (message.done) return;
      yield message.value;
    }
  } finally {
    // A reader that leaves its loop early wants no more.
    if (!isOver) running.abort();
    running.end();
  }
}
