// Keeps the page usable without the server: the shell by build, the catalogue as last seen. Weights
// are not its business (they lie in OPFS), and neither is any other request.

const SHELL = "portico-shell-";
const DATA = "portico-data";
const LIST = "/assets.json";
/** What changes while the page stays: as last seen. */
const LAST_SEEN = ["/api/catalogue", "/house.css", "/house/logo"];
/** After this the cached shell is shown, and the network's answer only refreshes the cache. */
const PATIENCE_MS = 3000;

async function install() {
  const response = await fetch(LIST, { cache: "no-store" });
  if (!response.ok) throw new Error(`${LIST}: ${response.status}`);
  const { build, files } = await response.json();
  const cache = await caches.open(SHELL + build);
  await cache.put(LIST, new Response(JSON.stringify({ build, files })));
  const keep = async (url, mode) => {
    const answer = await fetch(url, { cache: mode });
    if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
    await cache.put(url, answer);
  };
  const assets = files.filter((url) => url !== "/");
  await Promise.all(
    assets.map(async (url) => (await cache.match(url)) ?? keep(url, "default")),
  );
  // The house's colours, as far as they can be had now.
  await Promise.allSettled([fetch("/house.css").then((answer) => keepSeen("/house.css", answer))]);
  // Last: a page is only found where all that it needs is.
  await keep("/", "no-store");
  return build;
}

/** Builds that are cached whole, oldest first. */
async function builds() {
  const names = await caches.keys();
  return names.filter((name) => name.startsWith(SHELL));
}

async function fromShell(url) {
  for (const name of (await builds()).reverse()) {
    const hit = await (await caches.open(name)).match(url);
    if (hit) return hit;
  }
  return undefined;
}

/** What is kept, or nothing where a full disk lets nothing be looked up either. */
const kept = (looking) => looking.catch(unkept);

/** A full disk takes the work without the server, not the page: what is at hand is still answered. */
function unkept(error) {
  console.warn("portico: the page cannot be kept for work without the server:", error);
  return undefined;
}

function timeout(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The newest page that the server has; without it, or when it hesitates, the cached one. */
async function page(event) {
  const network = fetch(event.request).then((answer) => {
    if (!answer.ok && answer.status >= 500) throw new Error(`page: ${answer.status}`);
    return answer;
  });
  const cached = kept(fromShell("/"));
  const first = await Promise.race([
    network.catch(() => undefined),
    timeout(PATIENCE_MS).then(() => undefined),
  ]);
  return first ?? (await cached) ?? network;
}

/** From the shell; what is only fetched when it is needed joins its build's shell then. */
async function asset(event) {
  const { pathname } = new URL(event.request.url);
  const hit = await kept(fromShell(pathname));
  if (hit) return hit;
  const answer = await fetch(event.request);
  if (answer.ok) event.waitUntil(join(pathname, answer.clone()).catch(unkept));
  return answer;
}

async function join(pathname, answer) {
  const shell = SHELL + pathname.split("/")[2];
  if ((await builds()).includes(shell)) await (await caches.open(shell)).put(pathname, answer);
}

/** The newest that the server has; without it, or when it hesitates, what was seen last. */
async function lastSeen(event) {
  const { pathname } = new URL(event.request.url);
  const network = fetch(event.request).then((answer) => {
    if (answer.ok) event.waitUntil(keepSeen(pathname, answer.clone()).catch(unkept));
    return answer;
  });
  const first = await Promise.race([
    network.catch(() => undefined),
    timeout(PATIENCE_MS).then(() => undefined),
  ]);
  return first ?? (await kept(caches.match(pathname, { cacheName: DATA }))) ?? network;
}

async function keepSeen(pathname, answer) {
  if (answer.ok) await (await caches.open(DATA)).put(pathname, answer);
}

self.addEventListener("install", (event) => {
  // Takes over at once: assets are named by their content, so an older page keeps finding its own.
  event.waitUntil(install().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(self.clients.claim());
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  // Its headers say who may frame it: they are asked for anew.
  if (url.pathname === "/embed") return;
  if (event.request.mode === "navigate") event.respondWith(page(event));
  else if (LAST_SEEN.includes(url.pathname)) event.respondWith(lastSeen(event));
  else if (url.pathname.startsWith("/assets/") || ["/icon.svg", "/manifest.webmanifest"].includes(url.pathname)) {
    event.respondWith(asset(event));
  }
});

self.addEventListener("message", (event) => {
  // The page asks now and then whether the server has a newer build; older shells go when the new
  // one is whole, but the last one stays for tabs that still run it.
  if (event.data !== "refresh") return;
  event.waitUntil(
    (async () => {
      try {
        const known = await builds();
        const build = await install();
        const older = known.filter((name) => name !== SHELL + build);
        await Promise.all(older.slice(0, -1).map((name) => caches.delete(name)));
        event.source?.postMessage({ build });
      } catch {
        // Offline: the cached build goes on.
      }
    })(),
  );
});
