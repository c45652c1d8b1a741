// wllama in a page of its own, from a local folder, with the headers that give it threads.

import { createReadStream, statSync } from "node:fs";
import http from "node:http";
import { join, normalize } from "node:path";

const TYPES = { js: "text/javascript", wasm: "application/wasm", html: "text/html", map: "application/json" };
const PAGE = '<!doctype html><title>wllama</title><link rel="icon" href="data:,">';

/** Serves wllama's files and `modelFile`. */
export async function serveWllama(peers, modelFile) {
  const base = join(peers, "@wllama/wllama/esm");
  const server = http.createServer((request, response) => {
    const path = normalize(new URL(request.url, "http://local").pathname);
    response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
    response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    if (path === "/") return response.setHeader("Content-Type", "text/html").end(PAGE);
    const file = path === "/model.gguf" ? modelFile : join(base, path);
    let size;
    try {
      size = statSync(file).size;
    } catch {
      response.statusCode = 404;
      return response.end();
    }
    response.setHeader("Content-Type", TYPES[file.split(".").pop()] ?? "application/octet-stream");
    response.setHeader("Accept-Ranges", "bytes");
    response.setHeader("ETag", `"${size}"`);
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const start = range ? Number(range[1]) : 0;
    const end = range?.[2] ? Math.min(Number(range[2]), size - 1) : size - 1;
    if (range) {
      response.statusCode = 206;
      response.setHeader("Content-Range", `bytes ${start}-${end}/${size}`);
    }
    response.setHeader("Content-Length", end - start + 1);
    if (request.method === "HEAD") return response.end();
    createReadStream(file, { start, end }).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Loads the model in `page` with so many threads; gives what took how long. */
export const load = (page, nThreads) =>
  page.evaluate(async (n_threads) => {
    const { Wllama, LoggerWithoutDebug } = await import("/index.js");
    const wllama = new Wllama({ default: "/wasm/wllama.wasm" }, { logger: LoggerWithoutDebug, suppressNativeLog: true });
    await wllama.loadModelFromUrl(`${location.origin}/model.gguf`, { n_threads, n_ctx: 1024 });
    globalThis.wllama = wllama;
    return { loaded_ms: performance.now(), webgpu: wllama.isSupportWebGPU(), threads: wllama.getNumThreads() };
  }, nThreads);

/** Prefills `prompt` and generates `nDecode` tokens; llama.cpp's own timings. */
export const run = (page, prompt, nDecode) =>
  page.evaluate(
    async ({ prompt, max_tokens }) => {
      const answer = await globalThis.wllama.createCompletion({ prompt, max_tokens, temperature: 0, ignore_eos: true, cache_prompt: false });
      const { prompt_n, prompt_per_second, predicted_n, predicted_per_second } = answer.timings;
      return { n_prompt: prompt_n, prefill_tokens_per_s: prompt_per_second, n_decode: predicted_n, decode_tokens_per_s: predicted_per_second };
    },
    { prompt, max_tokens: nDecode },
  );
