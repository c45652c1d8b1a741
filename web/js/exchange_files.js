// Which conversations does the chosen file hold? ChatGPT's export is a ZIP with `conversations.json`, or with
// `conversations-000.json` and on; all others are JSON. Of a ZIP only these are read, one after the other.

const JSON_MAX_BYTES = 400 * 1024 * 1024;
const WANTED = /(^|\/)conversations(-\d+)?\.json$/;

const END = 0x06054b50;
const END_64 = 0x06064b50;
const END_64_PLACE = 0x07064b50;
const ENTRY = 0x02014b50;
const HEAD = 0x04034b50;
const NONE_32 = 0xffffffff;
const STORED = 0;
const DEFLATED = 8;
const END_BYTES = 22;
const COMMENT_MAX_BYTES = 65_535;

/** What reads the files that hold conversations, each its text when it is called. */
export async function readersOf(file) {
  const head = await viewOf(file, 0, 4);
  const isZip = head.byteLength === 4 && head.getUint32(0, true) === HEAD;
  if (!isZip) return [readerOf(file)];
  const entries = (await entriesOf(file)).filter(({ name }) => WANTED.test(name));
  if (!entries.length) throw new Error("ZIP: no conversations.json");
  entries.sort((one, other) => (one.name < other.name ? -1 : 1));
  return entries.map((entry) => () => unpacked(file, entry));
}

const viewOf = async (file, from, to) => new DataView(await file.slice(from, to).arrayBuffer());
const wide = (view, at) => Number(view.getBigUint64(at, true));

function readerOf(file) {
  if (file.size > JSON_MAX_BYTES) throw new Error(`> ${JSON_MAX_BYTES / 1024 / 1024} MiB`);
  return () => file.text();
}

async function entriesOf(file) {
  const from = Math.max(0, file.size - COMMENT_MAX_BYTES - END_BYTES);
  const tail = await viewOf(file, from, file.size);
  let at = tail.byteLength - END_BYTES;
  while (at >= 0 && tail.getUint32(at, true) !== END) at -= 1;
  if (at < 0) throw new Error("ZIP: no directory");
  let bytes = tail.getUint32(at + 12, true);
  let start = tail.getUint32(at + 16, true);
  // A large archive says it a second time, with more room.
  if (at >= 20 && tail.getUint32(at - 20, true) === END_64_PLACE) {
    const place = wide(tail, at - 20 + 8);
    const large = await viewOf(file, place, place + 56);
    if (large.byteLength === 56 && large.getUint32(0, true) === END_64) {
      bytes = wide(large, 40);
      start = wide(large, 48);
    }
  }
  const list = await viewOf(file, start, start + bytes);
  const entries = [];
  const utf8 = new TextDecoder();
  for (let i = 0; i + 46 <= list.byteLength && list.getUint32(i, true) === ENTRY; ) {
    const [nameBytes, extraBytes, noteBytes] = [28, 30, 32].map((n) => list.getUint16(i + n, true));
    const name = utf8.decode(new Uint8Array(list.buffer, i + 46, Math.min(nameBytes, list.byteLength - i - 46)));
    const entry = {
      name,
      method: list.getUint16(i + 10, true),
      packed: list.getUint32(i + 20, true),
      size: list.getUint32(i + 24, true),
      at: list.getUint32(i + 42, true),
    };
    widen(entry, list, i + 46 + nameBytes, extraBytes);
    entries.push(entry);
    i += 46 + nameBytes + extraBytes + noteBytes;
  }
  return entries;
}

/** What has no room in an entry stands behind its name. */
function widen(entry, list, from, bytes) {
  const end = Math.min(from + bytes, list.byteLength);
  for (let i = from; i + 4 <= end; i += 4 + list.getUint16(i + 2, true)) {
    if (list.getUint16(i, true) !== 1) continue;
    let at = i + 4;
    for (const field of ["size", "packed", "at"]) {
      if (entry[field] === NONE_32 && at + 8 <= end) {
        entry[field] = wide(list, at);
        at += 8;
      }
    }
  }
}

async function unpacked(file, { name, method, packed, size, at }) {
  if (size > JSON_MAX_BYTES) throw new Error(`${name} > ${JSON_MAX_BYTES / 1024 / 1024} MiB`);
  const head = await viewOf(file, at, at + 30);
  const isThere = head.byteLength === 30 && head.getUint32(0, true) === HEAD;
  if (!isThere || (method !== STORED && method !== DEFLATED)) throw new Error(`ZIP: ${name}`);
  const from = at + 30 + head.getUint16(26, true) + head.getUint16(28, true);
  const raw = file.slice(from, from + packed);
  if (method === STORED) return raw.text();
  const stream = raw.stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Response(limited(stream, name)).text();
}

/** What an archive says of a size is not believed. */
function limited(stream, name) {
  let read = 0;
  const count = new TransformStream({
    transform(chunk, out) {
      read += chunk.byteLength;
      if (read > JSON_MAX_BYTES) throw new Error(`${name} > ${JSON_MAX_BYTES / 1024 / 1024} MiB`);
      out.enqueue(chunk);
    },
  });
  return stream.pipeThrough(count);
}
