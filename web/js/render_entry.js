// Starts the Wasm that knows formulas and colours, and paints places of an answer that wait for it: from an
// allow-listed tree and by numbers, never from markup. What it does not understand stays as it was written.

import init, { classes, formula, highlight } from "./render.js";

const MATHML = "http://www.w3.org/1998/Math/MathML";

await init({ module_or_path: new URL("./render_bg.wasm", import.meta.url) });
const CLASSES = classes();

/** @param {Element[]} places `code[data-maths]` and `code[data-language]` */
export function paint(places) {
  for (const place of places) {
    if (!place.isConnected || "painted" in place.dataset) continue;
    place.dataset.painted = "";
    if ("maths" in place.dataset) paintFormula(place);
    else paintCode(place);
  }
}

function paintFormula(place) {
  const json = formula(place.textContent, place.dataset.maths === "block");
  if (json) place.replaceChildren(made(JSON.parse(json)));
}

function made([name, attributes, children]) {
  const element = document.createElementNS(MATHML, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.map((child) => (typeof child === "string" ? child : made(child))));
  return element;
}

function paintCode(place) {
  const text = place.textContent;
  const spans = highlight(place.dataset.language, text);
  if (!spans?.length) return;
  const parts = [];
  let at = 0;
  for (let i = 0; i < spans.length; i += 3) {
    const [kind, start, end] = spans.subarray(i, i + 3);
    if (start > at) parts.push(text.slice(at, start));
    const word = document.createElement("span");
    word.className = `code-${CLASSES[kind]}`;
    word.textContent = text.slice(start, end);
    parts.push(word);
    at = end;
  }
  parts.push(text.slice(at));
  place.replaceChildren(...parts);
}
