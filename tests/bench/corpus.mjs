// Which real documents lie in packages? A thousand of mixed formats, the same each time.
//
// Debian's manuals and the test files of Python's document libraries: what they hold is written by
// many programs, and some of it is broken on purpose.

import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { basename, extname, join } from "node:path";
import { gunzipSync } from "node:zlib";

const DEBIAN = ["debian-reference-de", "debian-reference-en", "debian-faq", "debian-faq-de", "debian-handbook", "installation-guide-amd64"];
const PYTHON = [
  "python-docx==1.2.0", "python-pptx==1.0.2", "docxtpl==0.20.2", "mammoth==1.13.0", "odfpy==1.4.1",
  "pdfminer.six==20260107", "pyexcel-ods==0.6.0", "xlrd==2.0.2", "pypdf==7.1.1", "ebooklib==0.20",
];

/** Of each format so many at most; HTML and plain text fill up what is left. */
const MOST = { pdf: 120, docx: 120, pptx: 100, xlsx: 60, xls: 60, ods: 60, odt: 60, odp: 30, epub: 30, eml: 40, csv: 40, md: 80, rst: 80, txt: 80, html: 2000 };
/** What an extension is counted as. */
const SAME = { htm: "html", xhtml: "html", markdown: "md" };

function unpack(cache, python) {
  const stamp = join(cache, "unpacked.txt");
  const wanted = [...DEBIAN, ...PYTHON].join("\n");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  rmSync(cache, { recursive: true, force: true });
  const [fetched, files] = [join(cache, "fetched"), join(cache, "files")];
  mkdirSync(fetched, { recursive: true });
  mkdirSync(files, { recursive: true });
  const run = (program, ...args) => execFileSync(program, args, { cwd: fetched, stdio: ["ignore", "ignore", "pipe"] });
  run("apt-get", "download", "-qq", ...DEBIAN);
  for (const sdist of PYTHON) run(python, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", sdist);
  for (const name of readdirSync(fetched)) {
    const into = join(files, name.split(/[_-]\d/)[0]);
    mkdirSync(into, { recursive: true });
    if (name.endsWith(".deb")) run("dpkg", "-x", name, into);
    else run("tar", "xf", name, "-C", into);
  }
  writeFileSync(stamp, wanted);
}

function* walk(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else if (entry.isFile()) yield path;
  }
}

/** Fills `folder` with `count` documents that all differ; gives how many of each format. */
export function collect(cache, folder, count, python = "python3") {
  unpack(cache, python);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const found = new Map();
  const seen = new Set();
  for (const path of walk(join(cache, "files"))) {
    const isPacked = path.endsWith(".gz");
    const extension = extname(isPacked ? path.slice(0, -3) : path).slice(1).toLowerCase();
    const format = SAME[extension] ?? extension;
    if (!(format in MOST)) continue;
    const bytes = isPacked ? gunzipSync(readFileSync(path)) : readFileSync(path);
    const digest = createHash("sha256").update(bytes).digest("hex");
    if (bytes.length === 0 || seen.has(digest)) continue;
    seen.add(digest);
    if (!found.has(format)) found.set(format, []);
    found.get(format).push({ path, bytes: isPacked ? bytes : undefined, digest });
  }
  const counts = {};
  let left = count;
  // The rare ones first; within a format spread over all packages by their digests.
  for (const format of Object.keys(MOST)) {
    const files = (found.get(format) ?? []).sort((a, b) => (a.digest < b.digest ? -1 : 1)).slice(0, Math.min(MOST[format], left));
    for (const [number, { path, bytes }] of files.entries()) {
      const into = join(folder, `${format}-${number}-${basename(path).replace(/\.gz$/, "")}`);
      if (bytes) writeFileSync(into, bytes);
      else copyFileSync(path, into);
    }
    left -= files.length;
    if (files.length > 0) counts[format] = files.length;
  }
  return counts;
}
