// Bytes of attached files: kept in this browser by their SHA-256, sent to the server for the person's other
// devices, and fetched from there when they are wanted. `web/src/app/files.rs` says when. Where the person's
// conversations are encrypted, what goes there and comes from there is too (`web/src/sync/file_seal.rs`). What lies
// there from before is `sync_plain_files.js`'s.

export const ROUTE = "/api/attachments";
const PIECE_BYTES = 1 << 20;
const DAY_MS = 86_400_000;
/** What a browser shows as an image without anything in it being run. */
const IMAGES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

// What is kept, by SHA-256; pieces of what is being fetched; which conversation has which file, and whether
// the server has it for that conversation: as it is, or sealed with the key that `sentAs` names.
export const [FILES, PIECES, USES] = ["files", "pieces", "uses"];

let opened;
function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("portico-files", 1);
    request.onupgradeneeded = () => [FILES, PIECES, USES].forEach((name) => request.result.createObjectStore(name));
    request.onsuccess = () => {
      // A page that deletes everything must not be held up.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
  });
  opened.catch(() => (opened = undefined));
  return opened;
}

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

export async function read(store, ask) {
  return done(ask((await database()).transaction(store).objectStore(store)));
}

export async function write(stores, change) {
  const transaction = (await database()).transaction(stores, "readwrite");
  change(...stores.map((name) => transaction.objectStore(name)));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new DOMException("given up", "AbortError"));
  });
}

const hex = (digest) => [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

async function sha256Of(blob) {
  // Absent where the address is not secure.
  if (!crypto.subtle) throw new DOMException("no Web Crypto", "SecurityError");
  return hex(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
}

/** An error of the table, as JSON in its message. */
export class Refused extends Error {
  constructor(error) {
    super(JSON.stringify(error));
    this.error = error;
  }
}

export const storageError = (error) => {
  if (error instanceof Refused) return error;
  const code = error?.name === "QuotaExceededError" ? "device_storage_full" : "device_storage_refused";
  return new Refused({ code, detail: String(error) });
};

/**
 * Keeps a file.
 * @param {Blob} file
 * @returns {Promise<string>} its SHA-256
 */
export async function keepFile(file) {
  try {
    const sha256 = await sha256Of(file);
    // A copy: the file that was chosen can change, or go.
    const blob = new Blob([await file.arrayBuffer()]);
    await write([FILES], (files) => files.put({ blob, atMs: Date.now() }, sha256));
    return sha256;
  } catch (error) {
    throw storageError(error);
  }
}

export const kept = async (sha256) => (await read(FILES, (files) => files.get(sha256)))?.blob;

/** Notes that a conversation has a file that is kept here. */
export async function noteUse(conversation, sha256, sizeBytes, isSent, sentAs = "") {
  const key = `${conversation}/${sha256}`;
  const before = await read(USES, (uses) => uses.get(key));
  if (before) return;
  await write([USES], (uses) => uses.put({ conversation, sha256, sizeBytes, isSent, sentAs, atMs: Date.now() }, key));
}

/**
 * Forgets files of conversations that are no more, and those that went with no message.
 * @param {string[]} conversations all that there are
 */
export async function forgetUnused(conversations) {
  const there = new Set(conversations);
  const uses = await read(USES, (store) => store.getAll());
  // What another tab is writing now is not known here yet.
  const isOld = ({ atMs }) => Date.now() - atMs > DAY_MS;
  const gone = uses.filter((use) => !there.has(use.conversation) && isOld(use));
  const used = new Set(uses.filter((use) => !gone.includes(use)).map(({ sha256 }) => sha256));
  // Of what lies on the server sealed only a device can say there that it is to go.
  const over = gone.filter(({ isSent, sentAs }) => !isSent || !sentAs);
  await write([FILES, USES], (files, store) => {
    over.forEach(({ conversation, sha256 }) => store.delete(`${conversation}/${sha256}`));
    files.openCursor().onsuccess = ({ target: { result: cursor } }) => {
      if (!cursor) return;
      if (!used.has(cursor.key) && isOld(cursor.value)) cursor.delete();
      cursor.continue();
    };
  });
}

/** Deletes all that is kept here. */
export async function forgetAll() {
  (await opened?.catch(() => undefined))?.close();
  opened = undefined;
  await done(indexedDB.deleteDatabase("portico-files"));
}

/** Whether a file is kept here. */
export const isKept = async (sha256) => (await kept(sha256).catch(() => undefined)) !== undefined;

/** The address of an image that is kept here; undefined for what is none. */
export async function imageUrl(sha256, mediaType) {
  if (!IMAGES.includes(mediaType)) return undefined;
  const blob = await kept(sha256).catch(() => undefined);
  return blob && URL.createObjectURL(new Blob([blob], { type: mediaType }));
}

/** Gives a file that is kept here to the person. Inert: it is downloaded, never opened as a page. */
export async function saveFile(sha256, name) {
  const blob = await kept(sha256);
  if (!blob) throw new Refused({ code: "attachment_not_found" });
  const url = URL.createObjectURL(new Blob([blob], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  Object.assign(link, { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

export async function ask(method, path, { body, type, range, signal } = {}) {
  // Cannot be sent from another origin without its leave.
  const headers = { "portico-page": "1" };
  if (type) headers["content-type"] = type;
  if (range) headers.range = range;
  let answer;
  try {
    answer = await fetch(path, { method, headers, body, signal, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused({ code: "server_unreachable", detail: String(error) });
  }
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => undefined);
  throw new Refused(said?.error?.code ? said.error : { code: "upstream_failed", detail: `HTTP ${answer.status}` });
}

/**
 * What seals the person's files and opens them; undefined where their conversations are not encrypted. Refused on a
 * device that is locked.
 */
async function fileSeal() {
  try {
    return await (await globalThis.loadSync()).fileSeal();
  } catch (error) {
    throw said(error);
  }
}

/** The error of the table in what a Wasm threw. */
function said(error) {
  try {
    return new Refused(JSON.parse(error.message));
  } catch {
    return new Refused({ code: "internal", detail: String(error) });
  }
}

/** A file sealed, and by what that is addressed. */
export async function sealedFile(seal, sha256, blob, signal) {
  const [{ chunkBytes }, pieces] = [seal, []];
  try {
    const sealing = seal.seal(sha256);
    for (let at = 0; at < blob.size || pieces.length === 0; at += chunkBytes) {
      signal.throwIfAborted();
      const chunk = new Uint8Array(await blob.slice(at, at + chunkBytes).arrayBuffer());
      // Each a blob of its own, which the browser can put on the disk.
      pieces.push(new Blob([sealing.next(chunk, at + chunkBytes >= blob.size)]));
    }
    return { sealed: new Blob(pieces), address: sealing.sealedSha256() };
  } catch (error) {
    throw error.name === "AbortError" ? error : said(error);
  }
}

/**
 * What is sent of a file. Sealed, it has another address, and a name by which the other devices find it; what was
 * sealed before is so again only when bytes of it are wanted.
 */
async function outgoing(use, blob, seal, signal, set) {
  if (!seal) return { address: use.sha256, sizeBytes: blob.size, bytes: () => blob };
  const [as, name, sizeBytes] = [seal.keyId, seal.nameOf(use.sha256), seal.sealedBytes(blob.size)];
  if (use.sealed?.as === as) {
    const bytes = async () => (await sealedFile(seal, use.sha256, blob, signal)).sealed;
    return { address: use.sealed.address, name, sizeBytes, bytes };
  }
  const { sealed, address } = await sealedFile(seal, use.sha256, blob, signal);
  await set(use, { sealed: { as, address } });
  return { address, name, sizeBytes, bytes: () => sealed };
}

/** What is in a sealed file, once all of it is what a device of the person's sealed. */
async function openedFile(seal, sha256, pieces) {
  try {
    const [opening, opened] = [seal.open(sha256), []];
    for (const [at, piece] of pieces.entries()) {
      const sealed = new Uint8Array(await piece.arrayBuffer());
      opened.push(new Blob([opening.next(sealed, at === pieces.length - 1)]));
    }
    return new Blob(opened);
  } catch (error) {
    throw said(error);
  }
}

/** Bytes a second since a moment. */
const rate = (bytes, sinceMs) => (bytes * 1000) / Math.max(1, performance.now() - sinceMs);

/** What lies on the server as it was before the person's conversations were encrypted. */
export const plainFiles = async () => (await (await ask("GET", `${ROUTE}/plain`)).json()).files;

/**
 * Gets a file from the server in pieces, sealed or as it is: one that came is not asked for again, also after the page
 * was closed.
 * @returns {Promise<{blob: Blob, forget: (pieces: IDBObjectStore) => void}>} the file, whose digest is right, and what
 *   deletes its pieces
 */
export async function fetched(seal, sha256, sizeBytes, tell, signal) {
  const address = seal ? seal.nameOf(sha256) : sha256;
  // Pieces of a sealed file are its chunks.
  const [pieceBytes, totalBytes] = seal ? [seal.sealedChunkBytes, seal.sealedBytes(sizeBytes)] : [PIECE_BYTES, sizeBytes];
  const forget = (store) => store.delete(IDBKeyRange.bound(`${address}/`, `${address}0`));
  const startMs = performance.now();
  const pieces = [];
  let [doneBytes, cameBytes] = [0, 0];
  try {
    while (doneBytes < totalBytes || pieces.length === 0) {
      const key = `${address}/${doneBytes}`;
      let piece = await read(PIECES, (store) => store.get(key)).catch(() => undefined);
      if (!piece) {
        const end = Math.min(doneBytes + pieceBytes, totalBytes);
        const range = totalBytes > 0 ? `bytes=${doneBytes}-${end - 1}` : undefined;
        const answer = await ask("GET", `${ROUTE}/${address}/file`, { range, signal });
        try {
          piece = await answer.blob();
        } catch (error) {
          throw error.name === "AbortError" ? error : new Refused({ code: "server_unreachable", detail: String(error) });
        }
        if (seal && piece.size !== end - doneBytes) throw new Refused({ code: "seal_file_damaged" });
        cameBytes += piece.size;
        // Where there is no room for it, all of it is fetched in one go.
        await write([PIECES], (store) => store.put(piece, key)).catch(() => undefined);
      }
      pieces.push(piece);
      doneBytes += piece.size;
      if (piece.size === 0) break;
      tell(JSON.stringify({ state: "fetching", sha256, doneBytes, totalBytes, bytesPerS: rate(cameBytes, startMs) }));
    }
    const blob = seal ? await openedFile(seal, sha256, pieces) : new Blob(pieces);
    const actual = await sha256Of(blob);
    if (actual !== sha256) {
      throw new Refused({ code: "digest_mismatch", params: { file: sha256.slice(0, 12), expected: sha256, actual } });
    }
    return { blob, forget };
  } catch (error) {
    if (error.name === "AbortError") throw error;
    let refused = storageError(error);
    // Of a sealed file the length is known: the server has less of it.
    if (seal && refused.error.code === "range_not_satisfiable") refused = new Refused({ code: "seal_file_damaged" });
    if (["digest_mismatch", "seal_file_damaged"].includes(refused.error.code)) await write([PIECES], forget);
    throw refused;
  }
}

/** Has a file here that another device attached. */
export async function fetchFile(conversation, sha256, sizeBytes, tell) {
  if (await isKept(sha256)) return;
  let seal = (await logNow())?.seal ? await fileSeal() : undefined;
  const fetch = () => fetched(seal, sha256, sizeBytes, tell);
  const { blob, forget } = await fetch().catch(async (error) => {
    // It may wait there to be sealed. By its own digest only that is asked for of which the server knows it.
    const isPlain = async () => (await plainFiles()).some((file) => file.sha256 === sha256);
    if (!seal || error.error?.code !== "attachment_not_found" || !(await isPlain())) throw error;
    seal = undefined;
    return fetch();
  });
  try {
    await write([FILES, PIECES], (files, store) => {
      files.put({ blob, atMs: Date.now() }, sha256);
      forget(store);
    });
    await noteUse(conversation, sha256, sizeBytes, true, seal?.keyId);
  } catch (error) {
    throw storageError(error);
  }
}

/**
 * What the log's store says, whichever tab wrote it: conversations that stay here, and what is known of the
 * encryption of the others, empty where nothing is. Undefined where it cannot be read.
 */
async function logNow() {
  const request = indexedDB.open("portico");
  // It is the log's to make.
  request.onupgradeneeded = () => request.transaction.abort();
  const log = await done(request).catch(() => undefined);
  if (!log) return undefined;
  try {
    const transaction = log.transaction(["held", "meta"]);
    const [held, seal] = ["held", "meta"].map((name) => transaction.objectStore(name));
    const [keys, kept] = await Promise.all([done(held.getAllKeys()), done(seal.get("seal"))]);
    return { held: new Set(keys), seal: kept ?? "" };
  } catch {
    return undefined;
  } finally {
    log.close();
  }
}

const sending = new Map();
let isRunning = false;
let isAskedAgain = false;

/** As what files are sent, for what the log's store knew of the encryption: the key's id; empty: as they are. */
let known = { seal: "", sentAs: "" };

/** Asks how files are to be sent now. */
async function sealNow(local) {
  const seal = await fileSeal();
  known = { seal: local.seal, sentAs: seal?.keyId ?? "" };
  return seal;
}

/**
 * Sends what the server does not have yet, of conversations that may leave this device. One tab of a profile
 * does it; of what was sent before, only the rest is.
 * @param {(conversation: string) => boolean} mayLeave as far as this tab knows
 * @param {(conversation: string) => boolean} isDeleted
 * @param {(state: string) => void} tell
 * @returns {Promise<boolean>} whether something is left that can be tried again soon
 */
export async function sendAll(mayLeave, isDeleted, tell) {
  if (isRunning) {
    isAskedAgain = true;
    return false;
  }
  isRunning = true;
  const send = () => sendWaiting(mayLeave, isDeleted, tell);
  try {
    let isLeft;
    do {
      isAskedAgain = false;
      isLeft = navigator.locks
        ? await navigator.locks.request("portico-attachments", { ifAvailable: true }, (lock) => lock && send())
        : await send();
    } while (isAskedAgain);
    return isLeft === true;
  } finally {
    isRunning = false;
  }
}

async function sendWaiting(mayLeave, isDeleted, tell) {
  const local = await logNow();
  if (!local) return true;
  const uses = await read(USES, (store) => store.getAll());
  if (uses.length === 0) return false;
  const set = (use, fields) =>
    write([USES], (store) => store.put(Object.assign(use, fields), `${use.conversation}/${use.sha256}`));
  const say = (use, state) => tell(JSON.stringify({ sha256: use.sha256, totalBytes: use.sizeBytes, ...state }));
  const leaving = [];
  for (const use of uses) {
    const stays = local.held.has(use.conversation) || !mayLeave(use.conversation);
    // What was withdrawn is sent anew once it may leave again.
    if (stays && use.isSent) await set(use, { isSent: false });
    if (!stays) leaving.push(use);
  }
  // Sent as it was, or with another key, is not sent.
  const isSent = (use) => use.isSent && (use.sentAs ?? "") === known.sentAs;
  const isWaiting = (use) => !isSent(use) && !use.isStopped && !isDeleted(use.conversation);
  const isReleased = (use) => known.sentAs && isSent(use) && isDeleted(use.conversation);
  const isAny = () => leaving.some((use) => isWaiting(use) || isReleased(use));
  if (local.seal === known.seal && !isAny()) return false;
  let seal;
  try {
    seal = await sealNow(local);
  } catch (error) {
    // Locked, or the person is to say whether it is encrypted: nothing goes, not even a digest.
    if (!["sync_log_sealed", "sync_log_plain"].includes(error.error?.code)) throw error;
    leaving.filter((use) => !use.isSent && !use.isStopped).forEach((use) => say(use, { state: "refused", error: error.error }));
    return false;
  }
  for (const use of leaving.filter(isReleased)) {
    await ask("POST", `${ROUTE}/release`, { type: "application/json", body: JSON.stringify({ conversation: use.conversation }) });
    await set(use, { isSent: false });
  }
  let isLeft = false;
  for (const use of leaving.filter(isWaiting)) {
    const abort = new AbortController();
    sending.set(use.sha256, abort);
    let file;
    try {
      const blob = await kept(use.sha256);
      // It was forgotten here: whoever has it sends it.
      if (!blob) continue;
      file = await outgoing(use, blob, seal, abort.signal, set);
      if (await sendOne(use, file, { abort, mayLeave, say })) {
        await set(use, { isSent: true, sentAs: known.sentAs });
        say(use, { state: "sent" });
      }
    } catch (error) {
      if (error.name === "AbortError") {
        await set(use, { isStopped: true });
        if (file) await ask("DELETE", `${ROUTE}/${file.address}/upload`).catch(() => undefined);
        say(use, { state: "stopped" });
        continue;
      }
      const refused = error instanceof Refused ? error.error : { code: "internal", detail: String(error) };
      // The conversation is on its way itself, or the line is down, or what came was damaged.
      const isPassing = ["conversation_not_synced", "server_unreachable", "upload_damaged", "upload_incomplete", "timeout"].includes(refused.code);
      isLeft ||= isPassing;
      say(use, { state: isPassing ? "waiting" : "refused", error: refused });
      if (refused.code === "server_unreachable") break;
    } finally {
      sending.delete(use.sha256);
    }
  }
  return isLeft;
}

/** Sends a file; of all tabs one sends it. False where it may not leave any more. */
export async function sendOne(use, file, how) {
  const send = () => sendNow(use, file, how);
  const { signal } = how.abort;
  return navigator.locks ? navigator.locks.request(`${ROUTE}/${file.address}`, { signal }, send) : send();
}

async function sendNow(use, { address, name, sizeBytes, bytes }, { abort, mayLeave, say }) {
  const { signal } = abort;
  const json = { type: "application/json", signal };
  // What went as it was gives way to what is sealed.
  const replaces = name && use.isSent && !use.sentAs ? use.sha256 : undefined;
  const offer = JSON.stringify({ sha256: address, size_bytes: sizeBytes, conversation: use.conversation, name, replaces });
  const { is_whole: isWhole, chunk_bytes: chunkBytes, missing } = await (await ask("POST", ROUTE, { ...json, body: offer })).json();
  if (isWhole) return true;
  const startMs = performance.now();
  let doneBytes = sizeBytes - missing.reduce((sum, at) => sum + Math.min(chunkBytes, sizeBytes - at), 0);
  let sentBytes = 0;
  const tellRate = () => say(use, { state: "sending", doneBytes, totalBytes: sizeBytes, bytesPerS: rate(sentBytes, startMs) });
  const blob = missing.length > 0 ? await bytes() : undefined;
  for (const at of missing) {
    if (!mayLeave(use.conversation)) return false;
    tellRate();
    const body = blob.slice(at, at + chunkBytes);
    await ask("PUT", `${ROUTE}/${address}/bytes?offset=${at}`, { body, type: "application/octet-stream", signal });
    sentBytes += body.size;
    doneBytes += body.size;
  }
  tellRate();
  await ask("POST", `${ROUTE}/${address}/finish`, { signal });
  return true;
}

/** Stops the sending of a file; it stays on this device until the person says otherwise. */
export const stopSending = (sha256) => sending.get(sha256)?.abort();

/** Has a file sent after all. */
export async function sendAgain(sha256) {
  const uses = await read(USES, (store) => store.getAll());
  await write([USES], (store) => {
    for (const use of uses.filter((one) => one.sha256 === sha256 && one.isStopped)) {
      store.put({ ...use, isStopped: false }, `${use.conversation}/${sha256}`);
    }
  });
}

/** How much of what the person may store on the server is free; undefined where it is not limited or not known. */
export async function freeBytes() {
  const answer = await ask("GET", ROUTE).catch(() => undefined);
  const room = await answer?.json().catch(() => undefined);
  return room?.max_bytes == null ? undefined : Math.max(0, room.max_bytes - room.used_bytes);
}

const channel = typeof BroadcastChannel === "function" ? new BroadcastChannel("portico-files") : undefined;

/** Hears what other tabs say of the files that they send, and what they ask of this one. */
export function followFiles(hear) {
  if (!channel) return;
  channel.onmessage = ({ data }) => (data.stop ? stopSending(data.stop) : hear(data));
}

export const tellOthers = (state) => channel?.postMessage(state);
export const askOthersToStop = (sha256) => channel?.postMessage({ stop: sha256 });
