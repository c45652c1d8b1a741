// A proxy before the server that counts what passes, keeps what is sent, and breaks what a test says.

import http from "node:http";

/**
 * @param {string} origin the server
 * @param {(request: {url: string, number: number}) => undefined | {abortAfter?: number, corrupt?: boolean, delayMs?: number, refuse?: boolean, status?: number}} fault
 *   asked for each request; `number` counts the requests of that URL from 1. `abortAfter` cuts the
 *   connection after so many bytes of the body, `corrupt` flips one bit of it; `status` is
 *   answered in the server's place.
 * @returns {Promise<{origin: string, bytes: Map<string, number>, requests: Map<string, number>, sent: {head: string, body: Buffer[]}[], setFault: Function, close: () => Promise<void>}>}
 *   `sent` has every request whole, as it came from the browser.
 */
export async function startProxy(origin, fault = () => undefined) {
  const upstream = new URL(origin);
  const bytes = new Map();
  const requests = new Map();
  const sent = [];
  let decide = fault;
  const proxy = http.createServer((request, response) => {
    const url = request.url;
    const number = (requests.get(url) ?? 0) + 1;
    requests.set(url, number);
    const whole = { head: [`${request.method} ${url}`, ...request.rawHeaders].join("\n"), body: [] };
    sent.push(whole);
    request.on("data", (data) => whole.body.push(data));
    const what = decide({ url, number, headers: request.headers }) ?? {};
    if (what.refuse) return request.socket.destroy();
    if (what.status) return response.writeHead(what.status, { "content-type": "text/plain" }).end("no server");
    const headers = { ...request.headers, host: upstream.host };
    for (const name of ["origin", "referer"]) {
      if (headers[name]) headers[name] = headers[name].replace(/^http:\/\/[^/]+/, origin);
    }
    const options = { host: upstream.hostname, port: upstream.port, path: url, method: request.method, headers };
    const forward = http.request(options, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      let passed = 0;
      answer.on("data", (data) => {
        let piece = data;
        if (what.corrupt && passed === 0) {
          piece = Buffer.from(data);
          piece[0] ^= 1;
        }
        if (what.abortAfter !== undefined && passed + piece.length > what.abortAfter) {
          piece = piece.subarray(0, Math.max(0, what.abortAfter - passed));
        }
        passed += piece.length;
        bytes.set(url, (bytes.get(url) ?? 0) + piece.length);
        // A slow reader holds the server back, as on a real line.
        if (!response.write(piece)) {
          answer.pause();
          response.once("drain", () => answer.resume());
        }
        if (what.abortAfter !== undefined && passed >= what.abortAfter) {
          answer.destroy();
          response.socket?.destroy();
        }
      });
      answer.on("end", () => response.end());
      answer.on("error", () => response.socket?.destroy());
    });
    forward.on("error", () => response.socket?.destroy());
    request.on("error", () => forward.destroy());
    response.on("close", () => forward.destroy());
    const start = () => request.pipe(forward);
    if (what.delayMs) setTimeout(start, what.delayMs);
    else start();
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${proxy.address().port}`,
    bytes,
    requests,
    sent,
    setFault: (next) => (decide = next),
    close: () => {
      proxy.closeAllConnections();
      return new Promise((resolve) => proxy.close(resolve));
    },
  };
}
