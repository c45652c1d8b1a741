// Files that lie on the server as they were before the person's conversations were encrypted. What this device lacks
// of them is fetched, sealed and sent; the server lets go of each once it has the sealed twin whole. So nothing is
// lost wherever it breaks off, and every unlocked device goes on with what is left (`web/src/sync/plain_files.rs`).

import {
  ask,
  fetched,
  kept,
  PIECES,
  read,
  Refused,
  ROUTE,
  sealedFile,
  sendOne,
  storageError,
  USES,
  write,
} from "./attachment_files.js";

/** False where the server does not have the twin of this name. */
async function isReplaced(file, signal) {
  try {
    await ask("POST", `${ROUTE}/plain/replaced`, { type: "application/json", body: JSON.stringify(file), signal });
    return true;
  } catch (error) {
    if (error.error?.code === "attachment_not_found") return false;
    throw error;
  }
}

/** The file sealed, and what deletes the pieces in which it came. */
async function sealedPlain(seal, use, tell, signal) {
  // Only what went from here as it was: the server must not learn which files this device has.
  const blob = use.isSent && !use.sentAs ? await kept(use.sha256).catch(() => undefined) : undefined;
  if (blob) {
    try {
      return { ...(await sealedFile(seal, use.sha256, blob, signal)), forget: () => undefined };
    } catch (error) {
      // Damaged here: what the server has may be whole.
      if (error.error?.code !== "digest_mismatch") throw error;
    }
  }
  const came = await fetched(undefined, use.sha256, use.sizeBytes, tell, signal);
  return { ...(await sealedFile(seal, use.sha256, came.blob, signal)), forget: came.forget };
}

/**
 * Has one of them sealed on the server.
 * @param {(state: string) => void} tell how far it is, as JSON
 * @param {AbortSignal} signal
 */
export async function sealPlain(seal, conversation, sha256, sizeBytes, tell, signal) {
  try {
    const [key, name] = [`${conversation}/${sha256}`, seal.nameOf(sha256)];
    const before = await read(USES, (uses) => uses.get(key));
    const use = { atMs: Date.now(), ...before, conversation, sha256, sizeBytes };
    let forget = () => undefined;
    // Another device may have sent it sealed.
    if (!(await isReplaced({ conversation, sha256, name }, signal))) {
      const twin = await sealedPlain(seal, use, tell, signal);
      forget = twin.forget;
      const file = { address: twin.address, name, sizeBytes: twin.sealed.size, bytes: () => twin.sealed };
      const say = (_, state) => tell(JSON.stringify(state));
      await sendOne({ ...use, isSent: true, sentAs: "" }, file, { abort: { signal }, mayLeave: () => true, say });
      if (!(await isReplaced({ conversation, sha256, name }, signal))) throw new Refused({ code: "upload_incomplete" });
    }
    await write([USES, PIECES], (uses, pieces) => {
      uses.put({ ...use, isSent: true, sentAs: seal.keyId }, key);
      forget(pieces);
    });
  } catch (error) {
    throw error.name === "AbortError" ? error : storageError(error);
  }
}
