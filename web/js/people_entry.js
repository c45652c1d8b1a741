// Starts the views of the account: their styles, then their Wasm.

import init, * as people from "./people.js";

function styled(name) {
  const style = document.createElement("link");
  Object.assign(style, { rel: "stylesheet", href: new URL(`./${name}`, import.meta.url).href });
  const loaded = new Promise((resolve, reject) => {
    style.onload = resolve;
    style.onerror = () => reject(new Error(`${name} could not be loaded`));
  });
  document.head.append(style);
  return loaded;
}

async function start() {
  const wasm = init({ module_or_path: new URL("./people_bg.wasm", import.meta.url) });
  // The frame is the documents'.
  await Promise.all([styled("library.css"), styled("people.css"), wasm]);
  return people;
}

export const ready = start();
