// Shows a page of a PDF and marks words in it, and reads its text; both by pdf.js, which is fetched when
// the first PDF is opened. Its parser runs in a worker of its own. Links, forms and scripts of a PDF are
// neither shown nor run.

const at = (name) => new URL(`./pdfjs/${name}`, import.meta.url).href;
/** Sharper than this no screen shows it, and a canvas costs memory. */
const MAX_PIXEL_RATIO = 2;
/** Characters of a piece that is looked for where the whole passage is not found in one. */
const PIECE_CHARS = 24;

let library;
/** Of the page that is shown. */
let fitting;

async function pdfjs() {
  library ??= import("./pdfjs/pdf.min.mjs");
  try {
    const loaded = await library;
    loaded.GlobalWorkerOptions.workerSrc = at("pdf.worker.min.mjs");
    return loaded;
  } catch (error) {
    library = undefined;
    throw error;
  }
}

/**
 * @param {Uint8Array} bytes the file; its buffer is given away
 * @returns the PDF, for the other functions; thrown errors have pdf.js' names (`PasswordException`, …)
 */
export async function openPdf(bytes) {
  const { getDocument } = await pdfjs();
  return getDocument({
    data: bytes,
    cMapUrl: at("cmaps/"),
    cMapPacked: true,
    standardFontDataUrl: at("standard_fonts/"),
    iccUrl: at("iccs/"),
    wasmUrl: at("wasm/"),
    enableXfa: false,
    disableWorkerRendering: true,
    useSystemFonts: false,
    stopAtErrors: false,
  }).promise;
}

export const pageCount = (pdf) => pdf.numPages;

export const closePdf = (pdf) => void pdf.loadingTask.destroy();

/** The lines of each page, as JSON of `PageText`s. */
export async function pdfLines(pdf) {
  const pages = [];
  for (let number = 1; number <= pdf.numPages; number++) {
    const page = await pdf.getPage(number);
    pages.push({ lines: lines((await page.getTextContent()).items) });
    page.cleanup();
  }
  return JSON.stringify(pages);
}

/** Joins what stands on one base line; a gap between lines is a distance of base lines. */
function lines(items) {
  const found = [];
  let line;
  for (const { str, transform, height, width, hasEOL } of items) {
    if (transform === undefined) continue;
    const [, , , , x, y] = transform;
    const size = height || Math.hypot(transform[2], transform[3]);
    const isSame = line && Math.abs(line.y - y) < Math.max(line.size, size) * 0.5;
    if (isSame) {
      const isApart = x - line.end > size * 0.15 && !line.text.endsWith(" ") && !str.startsWith(" ");
      line.text += isApart ? ` ${str}` : str;
      line.size = str.trim() ? Math.max(line.size, size) : line.size;
    } else if (str.trim()) {
      line = { text: str, size, gap: line ? Math.abs(line.y - y) : 0, y };
      found.push(line);
    }
    if (line) line.end = x + width;
    if (hasEOL && line) line.text += "";
  }
  return found.map(({ text, size, gap }) => ({ text, size, gap }));
}

/**
 * Paints a page into `holder`, as wide as it is, with its text over it.
 * @returns {Promise<number>} how many pieces of `passage` were marked
 */
export async function showPage(pdf, number, holder, passage, label) {
  const { TextLayer } = await pdfjs();
  const page = await pdf.getPage(number);
  const unscaled = page.getViewport({ scale: 1 });
  const scale = holder.clientWidth / unscaled.width;
  const viewport = page.getViewport({ scale });
  const canvas = document.createElement("canvas");
  const ratio = Math.min(globalThis.devicePixelRatio || 1, MAX_PIXEL_RATIO);
  canvas.width = Math.floor(viewport.width * ratio);
  canvas.height = Math.floor(viewport.height * ratio);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  const text = document.createElement("div");
  text.className = "textLayer";
  fitting?.disconnect();
  // The text follows the canvas, which is stretched, when the page becomes wider or narrower.
  fitting = new ResizeObserver(() => {
    if (holder.clientWidth) holder.style.setProperty("--total-scale-factor", String(holder.clientWidth / unscaled.width));
  });
  holder.style.setProperty("--total-scale-factor", String(scale));
  fitting.observe(holder);
  holder.style.aspectRatio = `${viewport.width} / ${viewport.height}`;
  const painting = page.render({
    canvas,
    viewport,
    transform: ratio === 1 ? null : [ratio, 0, 0, ratio, 0, 0],
    annotationMode: 0,
  }).promise;
  const layer = new TextLayer({ textContentSource: page.streamTextContent(), container: text, viewport });
  await Promise.all([painting, layer.render()]);
  holder.replaceChildren(canvas, text);
  const n = mark(layer.textDivs, passage);
  text.querySelector("mark")?.scrollIntoView({ block: "center" });
  return n;
}

/** Letters and digits alone: how a page breaks its lines and spaces its words says nothing. */
function letters(text) {
  const found = [];
  let at = 0;
  for (const c of text) {
    for (const plain of c.normalize("NFKD").toLowerCase()) {
      if (/[\p{L}\p{N}]/u.test(plain)) found.push([plain, at]);
    }
    at += c.length;
  }
  return found;
}

function mark(divs, passage) {
  const places = [];
  let all = "";
  divs.forEach((div, index) => {
    for (const [letter, at] of letters(div.textContent)) {
      all += letter;
      for (let unit = 0; unit < letter.length; unit++) places.push({ index, at });
    }
  });
  const wanted = letters(passage).map(([letter]) => letter).join("");
  const marked = new Map();
  let n = 0;
  for (const [from, to] of ranges(all, wanted)) {
    n++;
    for (let unit = from; unit < to; unit++) {
      const { index, at } = places[unit];
      const own = marked.get(index) ?? [at, at];
      marked.set(index, [Math.min(own[0], at), Math.max(own[1], at)]);
    }
  }
  for (const [index, [from, last]] of marked) {
    const div = divs[index];
    const whole = div.textContent;
    const to = last + String.fromCodePoint(whole.codePointAt(last)).length;
    const inner = document.createElement("mark");
    inner.textContent = whole.slice(from, to);
    div.replaceChildren(whole.slice(0, from), inner, whole.slice(to));
  }
  return n;
}

/** Where `wanted` stands in `all`: in one, else piece by piece (a passage may begin a page earlier). */
function ranges(all, wanted) {
  if (!wanted) return [];
  const whole = all.indexOf(wanted);
  if (whole >= 0) return [[whole, whole + wanted.length]];
  const found = [];
  for (let from = 0; from + PIECE_CHARS <= wanted.length; ) {
    const at = all.indexOf(wanted.slice(from, from + PIECE_CHARS));
    if (at < 0) {
      from += 4;
      continue;
    }
    let length = PIECE_CHARS;
    while (from + length < wanted.length && all[at + length] === wanted[from + length]) length++;
    found.push([at, at + length]);
    from += length;
  }
  return found;
}
