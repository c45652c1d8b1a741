// What syncing needs of the browser: one tab that does it for all, requests with compressed bodies, and
// the server's calls.

/** A request that hangs for longer is given up and made again: everything waits for it. */
const REQUEST_MS = 300_000;
/** Until the server's calls are listened to again where the browser has given up. */
const REOPEN_MS = 5_000;

/** Resolves once this tab syncs for the profile; it does as long as it lives. */
export function lead() {
  return new Promise((resolve) => {
    // Absent where the address is not secure: then each tab syncs for itself, which costs traffic only.
    if (!navigator.locks) return resolve();
    navigator.locks.request("portico-sync", () => {
      resolve();
      return new Promise(() => {});
    });
  });
}

async function gzip(text) {
  if (typeof CompressionStream !== "function" || text.length < 1000) return undefined;
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Response(stream).blob();
}

/**
 * @param {string | undefined} lines what is sent; undefined asks
 * @returns {Promise<[number, string]>} status and body; rejected when the server cannot be reached
 */
export async function request(method, path, lines) {
  // Cannot be sent from another origin without its leave.
  const headers = { "portico-page": "1" };
  let body = lines;
  if (lines !== undefined) {
    headers["content-type"] = lines.startsWith("{") && !lines.includes("\n") ? "application/json" : "application/x-ndjson";
    const packed = await gzip(lines);
    if (packed) {
      headers["content-encoding"] = "gzip";
      body = packed;
    }
  }
  const signal = AbortSignal.timeout(REQUEST_MS);
  const answer = await fetch(path, { method, headers, body, cache: "no-store", signal });
  return [answer.status, await answer.text()];
}

/**
 * Calls `hear` with each event's data, and with undefined when the stream broke. A broken connection the browser
 * takes up again by itself; an answer that is no stream (a proxy's error while the server starts) it does not.
 * @returns {() => void} ends it
 */
export function listen(path, hear) {
  let source, reopening;
  const open = () => {
    source = new EventSource(path);
    source.onmessage = ({ data }) => hear(data);
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) reopening = setTimeout(open, REOPEN_MS);
      hear(undefined);
    };
  };
  open();
  return () => {
    clearTimeout(reopening);
    source.close();
  };
}

/** Calls `hear` when another tab, or the page of this one, has written operations. */
export function followLog(name, hear) {
  const channel = new BroadcastChannel(name);
  channel.onmessage = () => hear();
  return () => channel.postMessage(true);
}
