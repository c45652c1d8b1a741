// Starts the documents' views: their style, then their Wasm.

import init, * as library from "./library.js";

async function start() {
  const style = document.createElement("link");
  Object.assign(style, { rel: "stylesheet", href: new URL("./library.css", import.meta.url).href });
  const styled = new Promise((resolve, reject) => {
    style.onload = resolve;
    style.onerror = () => reject(new Error("library.css could not be loaded"));
  });
  document.head.append(style);
  await Promise.all([styled, init({ module_or_path: new URL("./library_bg.wasm", import.meta.url) })]);
  return library;
}

export const ready = start();
