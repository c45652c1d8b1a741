// Starts the worker of the device's tools and answers one call after the other.

import init, { answer } from "./tools.js";

const ready = init({ module_or_path: new URL("./tools_bg.wasm", import.meta.url) });

onmessage = async ({ data: { id, name, args } }) => {
  await ready;
  const now = new Date();
  const two = (number) => String(number).padStart(2, "0");
  const date = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  const time = `${two(now.getHours())}:${two(now.getMinutes())}`;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC";
  try {
    postMessage({ id, result: answer(name, args, date, time, zone) });
  } catch (error) {
    // A string says why there is no result. Anything else is a bug: the page hears of it by `error`.
    if (typeof error !== "string") setTimeout(() => { throw error; });
    else postMessage({ id, why: error });
  }
};
