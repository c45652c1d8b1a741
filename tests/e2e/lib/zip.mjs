// A ZIP as other programs' exports come in one.

import { crc32, deflateRawSync } from "node:zlib";

/** `files`: texts by name. */
export function zipOf(files) {
  const parts = [];
  const list = [];
  let at = 0;
  for (const [name, text] of Object.entries(files)) {
    const [title, whole] = [Buffer.from(name), Buffer.from(text)];
    const packed = deflateRawSync(whole);
    const head = numbers([2, 20], [2, 0], [2, 8], [4, 0], [4, crc32(whole)], [4, packed.length], [4, whole.length], [2, title.length], [2, 0]);
    parts.push(numbers([4, 0x04034b50]), head, title, packed);
    list.push(numbers([4, 0x02014b50], [2, 20]), head, numbers([2, 0], [2, 0], [2, 0], [4, 0], [4, at]), title);
    at += 4 + head.length + title.length + packed.length;
  }
  const directory = Buffer.concat(list);
  const n = Object.keys(files).length;
  const end = numbers([4, 0x06054b50], [4, 0], [2, n], [2, n], [4, directory.length], [4, at], [2, 0]);
  return Buffer.concat([...parts, directory, end]);
}

/** Little-endian numbers of so many bytes. */
function numbers(...all) {
  return Buffer.concat(
    all.map(([bytes, value]) => {
      const one = Buffer.alloc(bytes);
      one.writeUIntLE(value, 0, bytes);
      return one;
    }),
  );
}
