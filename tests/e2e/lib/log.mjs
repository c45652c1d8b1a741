// What a profile's log holds, written from outside: conversations that nobody wants to type.

import { randomUUID } from "node:crypto";

/** A UUIDv7 of the moment `ms`, counted up by `n` so that ids sort as they were made. */
export function uuid7(ms, n = 0) {
  const time = ms.toString(16).padStart(12, "0");
  const [, , , d, e] = randomUUID().split("-");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${(n & 0xfff).toString(16).padStart(3, "0")}-${d}-${e}`;
}

/**
 * The operations of one conversation of `texts`, question and answer by turns.
 * @returns {string[]} their JSON, as the store keeps it
 */
export function conversation(title, texts, startMs = Date.now() - texts.length - 10) {
  let n = 0;
  const id = uuid7(startMs);
  const records = [];
  const add = (body) => {
    n += 1;
    const op = { v: 1, id: uuid7(startMs + n), at: { ms: startMs + n, n: 0 }, ...body };
    records.push(`${JSON.stringify(op)}\n${id}`);
  };
  add({ kind: "create_conversation", conversation: id });
  add({ kind: "set", conversation: id, setting: { name: "title", value: title } });
  let parent = null;
  texts.forEach((text, i) => {
    const message = uuid7(startMs + n + 1, 1);
    const role = i % 2 ? "assistant" : "user";
    add({ kind: "add_message", conversation: id, message, parent, role, content: { text, state: "done" } });
    parent = message;
  });
  return records;
}

/** Appends records to the log of the page's profile; the page reads them at its next start. */
export const append = (page, records) =>
  page.evaluate(
    (all) =>
      new Promise((done, failed) => {
        const opening = indexedDB.open("portico");
        opening.onerror = () => failed(opening.error);
        opening.onsuccess = () => {
          const writing = opening.result.transaction("ops", "readwrite");
          all.forEach((record) => writing.objectStore("ops").add(record));
          writing.oncomplete = () => done(opening.result.close());
          writing.onerror = () => failed(writing.error);
        };
      }),
    records,
  );
