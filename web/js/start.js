// Starts the page. Until the app has taken over, what a person sees is this script's business: a
// line that says what happens, and when nothing can, why and what to do.

const TEXTS = {
  en: {
    loading: "Portico is starting …",
    wasm: "This browser cannot run WebAssembly. Please use a current Chrome, Edge, Safari or Firefox.",
    failed: "Portico could not be loaded. Please check the connection and try again.",
    again: "Try again",
    details: "Details",
  },
  de: {
    loading: "Portico startet …",
    wasm: "Dieser Browser kann kein WebAssembly ausführen. Bitte nutzen Sie einen aktuellen Chrome, Edge, Safari oder Firefox.",
    failed: "Portico ließ sich nicht laden. Bitte prüfen Sie die Verbindung und versuchen Sie es noch einmal.",
    again: "Noch einmal versuchen",
    details: "Einzelheiten",
  },
};

/** A choice that the person made earlier; null where storage is refused. */
function chosen(name) {
  try {
    return localStorage.getItem(`portico.${name}`);
  } catch {
    return null;
  }
}

function language() {
  const wished = [chosen("lang"), ...navigator.languages];
  const known = wished.map((tag) => tag?.slice(0, 2).toLowerCase());
  return known.find((tag) => tag in TEXTS) ?? "en";
}

const root = document.documentElement;
const lang = language();
const texts = TEXTS[lang];
root.lang = lang;
const theme = chosen("theme");
if (theme === "light" || theme === "dark") root.dataset.theme = theme;

function say(text, cause) {
  const boot = document.getElementById("boot");
  // Once the app runs it speaks for itself.
  if (!boot) return;
  const line = document.getElementById("boot-text");
  line.lang = lang;
  line.textContent = text;
  if (cause === undefined) return;
  boot.dataset.state = "failed";
  const again = document.getElementById("boot-again");
  again.textContent = texts.again;
  again.hidden = false;
  again.onclick = () => location.reload();
  const details = document.getElementById("boot-details");
  details.hidden = false;
  details.querySelector("summary").textContent = texts.details;
  details.querySelector("pre").textContent = String(cause);
}

/**
 * The engine's worker compiles its Wasm while the page compiles its own. The app takes it over, with
 * what it said or how it failed until then, by `takeWorker`.
 */
function startWorker() {
  const url = document.querySelector("meta[name=portico-worker]")?.content;
  if (!url) return;
  // What tests may ask of the page they may ask of the worker. Its name says so: of an address' query
  // nothing is left when the service worker answers from its cache.
  const name = location.search.includes("debug") ? "portico-engine debug" : "portico-engine";
  const worker = new Worker(url, { type: "module", name });
  const early = [];
  worker.onmessage = worker.onerror = (event) => early.push(event);
  globalThis.takeWorker = () => {
    delete globalThis.takeWorker;
    return { worker, early };
  };
}

/**
 * Views that are a Wasm of their own, fetched when they are first opened. After a
 * failure another name of the module is asked for: browsers remember that one failed.
 * @returns {Promise<{mount: Function, speak: Function}>}
 */
const failures = {};
globalThis.loadViews = async (name) => {
  try {
    return await (await import(`./${name}_entry.js${failures[name] ? `?${failures[name]}` : ""}`)).ready;
  } catch (error) {
    failures[name] = (failures[name] ?? 0) + 1;
    throw error;
  }
};

/**
 * What keeps the conversations of a person's devices the same, and seals their files where they are encrypted: a
 * Wasm of its own, once somebody is signed in.
 */
let sync;
globalThis.loadSync = () => {
  const start = async () => {
    const module = await import("./sync.js");
    await module.default({ module_or_path: new URL("./sync_bg.wasm", import.meta.url) });
    return module;
  };
  return (sync ??= start());
};

/** What knows formulas and colours, fetched when an answer first has one. Until then, and where it cannot be
 * fetched, they stand as they were written. A crash ends it, and the next answer asks for it anew. */
let painter;
let paintings = 0;
globalThis.paintLater = async (places) => {
  try {
    painter ??= import(`./render_entry.js?${paintings++}`);
    (await painter).paint(places);
  } catch (error) {
    painter = undefined;
    console.warn("portico: formulas and colours", error);
  }
};

/**
 * An import runs in a worker of its own: `hear` is told each batch, any message asks for the next one, and
 * ending the worker cancels it.
 */
globalThis.importFile = (file, lang, hear) => {
  const url = new URL("./exchange_entry.js", import.meta.url);
  const importer = new Worker(url, { type: "module", name: "portico-exchange" });
  importer.onmessage = ({ data }) => hear(data);
  importer.onerror = (event) => hear({ failed: event.message ?? "" });
  importer.postMessage({ file, lang });
  return importer;
};

say(texts.loading);
if (typeof WebAssembly !== "object") {
  say(texts.wasm, "WebAssembly is not defined");
} else {
  startWorker();
  try {
    const { default: init } = await import("./app.js");
    await init({ module_or_path: new URL("./app_bg.wasm", import.meta.url) });
    // `/embed` is this page in another one's hidden frame.
    if (location.pathname === "/embed") (await import("./embed_frame.js")).serveEmbedder();
  } catch (error) {
    say(texts.failed, error);
    throw error;
  }
}
