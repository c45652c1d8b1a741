// Documents that never leave this browser: passes calls to the worker that keeps and searches them. One
// worker a tab, started when it is first needed; the app and the documents' views share this module.

const calls = new Map();
let lastId = 0;
let worker;

/**
 * @param {string} message JSON, see `web/library/src/shelf/protocol.rs`
 * @param {Uint8Array | undefined} bytes what goes with it; its buffer is given away
 * @returns {Promise<[string, Uint8Array | undefined]>} the answer and what comes with it
 */
export function callShelf(message, bytes) {
  worker ??= start();
  const id = ++lastId;
  return new Promise((resolve, reject) => {
    calls.set(id, { resolve, reject });
    worker.postMessage({ id, message, bytes }, bytes ? [bytes.buffer] : []);
  });
}

/**
 * What a PDF's pages say, as JSON; its reader is fetched with the first one.
 * @param {Uint8Array} bytes the file; its buffer is given away
 */
export async function linesOfPdf(bytes) {
  const { openPdf, pdfLines, closePdf } = await import("./library_pdf.js");
  const pdf = await openPdf(bytes);
  try {
    return await pdfLines(pdf);
  } finally {
    closePdf(pdf);
  }
}

function start() {
  const started = new Worker(new URL("./shelf_entry.js", import.meta.url), { type: "module", name: "portico-shelf" });
  started.onmessage = ({ data: { id, message, bytes, changed } }) => {
    if (changed) return void dispatchEvent(new CustomEvent("portico-shelf"));
    calls.get(id)?.resolve([message, bytes]);
    calls.delete(id);
  };
  // A bug ended it, or it could not be fetched: the next call starts another.
  started.onerror = (event) => {
    started.terminate();
    if (worker === started) worker = undefined;
    for (const { reject } of calls.values()) reject(new Error(event.message ?? "the worker could not be loaded"));
    calls.clear();
  };
  return started;
}
