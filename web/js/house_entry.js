// Starts the house's administration. It stands inside the account's views, whose styles are there already.

import init, * as house from "./house.js";

async function start() {
  await init({ module_or_path: new URL("./house_bg.wasm", import.meta.url) });
  return house;
}

export const ready = start();
