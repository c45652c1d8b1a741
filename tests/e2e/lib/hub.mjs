// A hub of models on this machine: one real file, as fast as it is told to be.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

/**
 * Serves `file` as `owner/tiny/resolve/main/<name>`, in ranges.
 * @returns {Promise<{url: string, pace: (ms: number) => void, ranges: string[], stop: () => Promise<void>}>}
 *   `pace`: how long each 64 KiB take
 */
export async function startHub(file) {
  const { size } = await stat(file);
  const ranges = [];
  let pace_ms = 0;
  const slow = () =>
    new Transform({
      transform(piece, _, done) {
        if (pace_ms) setTimeout(() => done(null, piece), pace_ms);
        else done(null, piece);
      },
    });
  const server = createServer(async (request, answer) => {
    const headers = { "x-repo-commit": "0123456789abcdef0123456789abcdef01234567", "x-linked-size": size, etag: '"tiny"' };
    if (request.method === "HEAD") return answer.writeHead(200, { ...headers, "content-length": size }).end();
    const [from, to] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? "bytes=0-").slice(1);
    const [start, end] = [Number(from), to ? Number(to) : size - 1];
    ranges.push(request.headers.range);
    answer.writeHead(206, { ...headers, "content-length": end - start + 1, "content-range": `bytes ${start}-${end}/${size}` });
    await pipeline(createReadStream(file, { start, end }), slow(), answer).catch(() => answer.destroy());
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${server.address().port}`, pace: (ms) => (pace_ms = ms), ranges, stop };
}
