// Starts the worker of an import: reads the file, converts one conversation after the other, and hands them
// over in batches, the next one when it is asked for. Ending the worker cancels the import.

import init, { converted } from "./exchange.js";
import { readersOf } from "./exchange_files.js";

const BATCH = 25;

const failed = (why) => postMessage({ failed: why });

/** The conversations of an export: a list of them, or an object that holds one. */
function conversationsOf(whole) {
  if (Array.isArray(whole)) return whole;
  return Array.isArray(whole?.conversations) ? whole.conversations : [whole];
}

let conversations;
let at = 0;
let lang;

async function begin(file) {
  const readers = await readersOf(file);
  await init({ module_or_path: new URL("./exchange_bg.wasm", import.meta.url) });
  const all = [];
  for (const read of readers) all.push(conversationsOf(JSON.parse(await read())));
  conversations = all.flat();
}

function batch() {
  const read = [];
  const refused = [];
  for (const end = Math.min(at + BATCH, conversations.length); at < end; at += 1) {
    const entry = conversations[at];
    const name = `${at + 1}: ${typeof entry?.title === "string" ? entry.title : ""}`;
    try {
      const [id, title, notes, ...ops] = converted(JSON.stringify(entry ?? null), lang);
      read.push({ id, ops });
      if (notes) refused.push(`${title}: ${notes}`);
    } catch (error) {
      refused.push(`${name} – ${error}`);
    }
    // What was read is not held twice.
    conversations[at] = null;
  }
  postMessage({ read, refused, at, total: conversations.length, done: at >= conversations.length });
}

onmessage = async ({ data }) => {
  try {
    if (data?.file) {
      lang = data.lang;
      await begin(data.file);
    }
    if (conversations) batch();
  } catch (error) {
    failed(String(error));
  }
};
