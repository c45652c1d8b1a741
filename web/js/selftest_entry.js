// Starts the Wasm that runs the engine's kernels beside their twins, for tests.

import "./request_device.js";
import init, * as selftest from "./selftest.js";

const start = async () => {
  await init({ module_or_path: new URL("./selftest_bg.wasm", import.meta.url) });
  return selftest;
};

export const ready = start();
