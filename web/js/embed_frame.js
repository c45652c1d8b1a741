// In another page's hidden frame: answers the calls of `embed.js` instead of showing anything. Which
// pages may frame this one is the server's Content-Security-Policy to say.

const METHODS = {
  "chat.completions.create": (request, options) => globalThis.portico.chat.completions.create(request, options),
  "completions.create": (request, options) => globalThis.portico.completions.create(request, options),
  "embeddings.create": (request) => globalThis.portico.embeddings.create(request),
  "models.list": () => globalThis.portico.models.list(),
};

const wording = (error) => ({
  message: String(error?.message ?? error),
  code: error?.code ?? "internal",
  status: error?.status ?? 500,
  detail: error?.detail ?? null,
});

/** Once `window.portico` is there: tells the page around this frame, which answers with a port. */
export function serveEmbedder() {
  addEventListener("message", (event) => {
    const port = event.ports[0];
    if (event.source === parent && event.data === "portico-connect" && port) serve(port);
  });
  // Says nothing that is not for everybody: whose page it is, is not known here.
  parent.postMessage("portico-frame", "*");
}

async function serve(port) {
  const running = new Map();
  const answer = async ({ id, method, request }) => {
    if (method === "abort") return running.get(id)?.abort();
    const abort = new AbortController();
    running.set(id, abort);
    try {
      if (!Object.hasOwn(METHODS, method)) throw Object.assign(new Error(`there is no ${method}`), { code: "invalid_request", status: 400 });
      const result = METHODS[method](request, { signal: abort.signal });
      if (request?.stream) {
        for await (const value of result) port.postMessage({ id, value });
        port.postMessage({ id, done: true });
      } else {
        port.postMessage({ id, value: await result });
      }
    } catch (error) {
      port.postMessage({ id, error: wording(error) });
    } finally {
      running.delete(id);
    }
  };
  port.onmessage = ({ data }) => answer(data);
  port.postMessage({ id: 0, value: await globalThis.portico.ready });
}
