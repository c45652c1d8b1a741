// Files on their way: from a drop or a paste to a list, and from the list to the server.

/**
 * Files of a drop or a paste, with what is in its folders.
 * @returns {Promise<{file: File, path: string}[]>}
 */
export async function filesOf(transfer) {
  // Entries are there only until the event is over.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  const found = [];
  const take = async (entry, folder) => {
    if (entry instanceof File) found.push({ file: entry, path: folder + entry.name });
    else if (entry?.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      found.push({ file, path: folder + entry.name });
    } else if (entry?.isDirectory) {
      const reader = entry.createReader();
      for (;;) {
        const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
        if (some.length === 0) break;
        for (const inner of some) await take(inner, `${folder}${entry.name}/`);
      }
    }
  };
  for (const entry of entries) if (entry) await take(entry, "");
  return found;
}

/** Files of a chooser; those of a folder know where they lie in it. */
export const filesOfInput = (input) =>
  [...(input.files ?? [])].map((file) => ({ file, path: file.webkitRelativePath || file.name }));

/**
 * Sends a file. Other than `fetch`, this tells how far it is.
 * @param {(loaded: number) => void} onProgress
 * @param {(status: number, body: string) => void} onEnd status 0: the connection failed
 * @returns {() => void} stops it
 */
export function sendFile(url, mediaType, body, onProgress, onEnd) {
  const request = new XMLHttpRequest();
  request.open("POST", url);
  request.setRequestHeader("portico-page", "1");
  request.setRequestHeader("content-type", mediaType || "application/octet-stream");
  request.upload.onprogress = (event) => onProgress(event.loaded);
  request.onload = () => onEnd(request.status, request.responseText);
  request.onerror = () => onEnd(0, "");
  request.ontimeout = () => onEnd(0, "");
  request.send(body);
  return () => request.abort();
}

/** Gives bytes to the person as a file. Inert: they are downloaded, never opened as a page. */
export function saveBytes(name, bytes) {
  const url = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  Object.assign(link, { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Where the person's choice of an embedder on this device is kept. */
const EMBEDDER = "portico.embedder";

const canCompute = async () => !!globalThis.portico && !(await globalThis.portico.ready).device.error;

/** The embedder that runs on this device by the person's choice; null where none does. */
export async function deviceEmbedder() {
  const chosen = localStorage.getItem(EMBEDDER);
  return chosen && (await canCompute()) ? chosen : null;
}

/**
 * An embedder of the server's catalogue that this device could run: `id`, or the first there is.
 * @param {string | undefined} id
 * @returns {Promise<string | null>} JSON of its id, name and size
 */
export async function runnableEmbedder(id) {
  if (!(await canCompute())) return null;
  const answer = await fetch("/api/catalogue");
  if (!answer.ok) return null;
  const { models } = await answer.json();
  const runs = ({ kind, available, test_only, runs_in }) => kind === "embedding" && available && !test_only && runs_in?.includes("browser");
  const model = models.find((one) => runs(one) && (id === undefined || one.id === id));
  return model ? JSON.stringify({ id: model.id, name: model.name, size_bytes: model.size_bytes }) : null;
}

export const chooseEmbedder = (id) => localStorage.setItem(EMBEDDER, id);

/**
 * Unit vectors of texts by the device's embedder, one after the other. `kind`: `query` or `passage`.
 * @returns {Promise<Float32Array>}
 */
export async function embedOnDevice(model, texts, kind) {
  const { data } = await globalThis.portico.embeddings.create({ model, input: texts, input_type: kind, place: "device" });
  const dims = data[0]?.embedding.length ?? 0;
  const all = new Float32Array(dims * data.length);
  data.forEach(({ embedding }, index) => all.set(embedding, index * dims));
  return all;
}
