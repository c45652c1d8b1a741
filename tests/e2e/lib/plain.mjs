// Does a text lie in a folder's files, as it is or deflated as the log's operations are?

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { constants, inflateRawSync } from "node:zlib";

/** Before a deflated operation stand a one and its length (u32, little-endian): `server/src/sync/packed.rs`. */
const HEAD_BYTES = 5;
const OP_MAX_BYTES = 2 << 20;
/** A page of the database is smaller; what goes on elsewhere is not needed. */
const PIECE_BYTES = 8 << 10;

function inflated(bytes, at) {
  if (bytes[at] !== 1 || at + HEAD_BYTES >= bytes.length) return "";
  const length = bytes.readUInt32LE(at + 1);
  if (length < 100 || length > OP_MAX_BYTES) return "";
  const piece = bytes.subarray(at + HEAD_BYTES, at + HEAD_BYTES + PIECE_BYTES);
  try {
    return inflateRawSync(piece, { finishFlush: constants.Z_SYNC_FLUSH }).toString("utf8");
  } catch {
    return "";
  }
}

/** @returns {Promise<{plain: string[], deflated: string[]}>} files that hold `text`, the models' folder left out */
export async function filesWith(folder, text) {
  const found = { plain: [], deflated: [] };
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const bytes = await readFile(path);
    if (bytes.includes(text)) found.plain.push(path);
    for (let at = bytes.indexOf(1); at >= 0; at = bytes.indexOf(1, at + 1)) {
      if (inflated(bytes, at).includes(text)) {
        found.deflated.push(path);
        break;
      }
    }
  }
  return found;
}
