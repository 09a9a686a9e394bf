// A worker for Orlop: fetches files for clients that Orlop sends here. See ../worker.md.
//
// It runs wherever `fetch` and WebCrypto are at hand, such as Cloudflare Workers, Deno, Bun and Node. Its one
// setting is WORKER_KEY, the same text as the mount's `worker_key`.

/** The client's headers that go to the storage. */
const UP = ["range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since"];

/** The storage's headers that go to the client. */
const DOWN = ["accept-ranges", "content-length", "content-range", "etag", "last-modified"];

/** The storage's answers that a client understands. Any other means that the storage failed. */
const STATUSES = [200, 206, 304, 412, 416];

export default {
  fetch(request, env) {
    return answer(request, env.WORKER_KEY);
  },
};

/** Answers a request that carries a descriptor. */
export async function answer(request, key) {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return refuse(405, "only GET and HEAD are answered here", { allow: "GET, HEAD" });
  }
  const url = new URL(request.url);
  let file;
  try {
    file = await open(url.searchParams.get("descriptor") ?? "", key);
  } catch {
    return refuse(403, "this link was not made for this worker");
  }
  // The path is only for people to read. But they read it, so it must be the file's.
  if (!decodeURIComponent(url.pathname).endsWith(file.path)) {
    return refuse(403, "this link is for another file");
  }
  if (!(Date.now() / 1000 < file.exp)) {
    return refuse(403, "this link has expired; ask for a new one where you got it");
  }
  // A link is good for GET alone, and all that a HEAD asks for is known.
  return request.method === "HEAD" ? head(file) : await get(request, file);
}

function head(file) {
  const headers = describe(file, new Headers({ "accept-ranges": "bytes", "content-length": `${file.size}` }));
  if (file.etag) headers.set("etag", file.etag);
  return new Response(null, { status: 200, headers });
}

async function get(request, file) {
  // What is in the descriptor was signed, and wins.
  const up = new Headers({ "accept-encoding": "identity" });
  for (const name of UP) {
    if (request.headers.has(name)) up.set(name, request.headers.get(name));
  }
  // Not every storage knows If-Range, but all know If-Match.
  const version = request.headers.get("if-range");
  const isPart = version !== null && up.has("range") && version === file.etag && version.startsWith('"');
  if (isPart) up.set("if-match", version);
  else if (version !== null) up.delete("range");
  for (const [name, value] of file.headers) up.set(name, value);
  const send = () => fetch(file.url, { method: file.method, headers: up, redirect: "manual", signal: request.signal });
  let upstream;
  try {
    upstream = await send();
    if (upstream.status === 412 && isPart) {
      // Another version by now: all of it.
      await upstream.body?.cancel();
      up.delete("if-match");
      up.delete("range");
      upstream = await send();
    }
  } catch {
    return refuse(502, "the storage cannot be reached");
  }
  if (!STATUSES.includes(upstream.status)) {
    await upstream.body?.cancel();
    return refuse(upstream.status === 404 ? 404 : 502, `the storage answered with status ${upstream.status}`);
  }
  const headers = describe(file, new Headers());
  for (const name of DOWN) {
    if (upstream.headers.has(name)) headers.set(name, upstream.headers.get(name));
  }
  if (upstream.status === 304 || upstream.status === 412 || upstream.status === 416) {
    headers.delete("content-length");
    await upstream.body?.cancel();
    return new Response(null, { status: upstream.status, headers });
  }
  // Several ranges at once come in a type of their own.
  const type = upstream.headers.get("content-type") ?? "";
  if (type.startsWith("multipart/byteranges")) headers.set("content-type", type);
  return new Response(upstream.body, { status: upstream.status, headers });
}

/** What the worker itself says of a file. */
function describe(file, headers) {
  const exact = encodeURIComponent(file.name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  headers.set("content-type", file.type);
  headers.set("content-disposition", `attachment; filename*=UTF-8''${exact}`);
  headers.set("content-security-policy", "sandbox; default-src 'none'");
  headers.set("x-content-type-options", "nosniff");
  headers.set("cache-control", "private, no-cache");
  headers.set("referrer-policy", "no-referrer");
  return headers;
}

function refuse(status, text, more = {}) {
  const headers = { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store", ...more };
  return new Response(`${text}\n`, { status, headers });
}

/** Decrypts a descriptor: a compact JWE, `alg` "dir", `enc` "A256GCM". Throws if it is anything else. */
async function open(token, text) {
  const [head, wrapped, nonce, content, tag, ...rest] = token.split(".");
  const { alg, enc } = JSON.parse(new TextDecoder().decode(bytes(head)));
  if (alg !== "dir" || enc !== "A256GCM" || wrapped !== "" || rest.length > 0) throw new Error("not a descriptor");
  const key = await crypto.subtle.importKey("raw", keyBytes(text), "AES-GCM", false, ["decrypt"]);
  const sealed = new Uint8Array([...bytes(content), ...bytes(tag)]);
  const additionalData = new TextEncoder().encode(head);
  const parameters = { name: "AES-GCM", iv: bytes(nonce), additionalData, tagLength: 128 };
  const opened = await crypto.subtle.decrypt(parameters, key, sealed);
  return JSON.parse(new TextDecoder().decode(opened));
}

/** The key from base64 or 64 hexadecimal digits. */
function keyBytes(text) {
  const key = /^[0-9a-f]{64}$/i.test(text) ? Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16)) : bytes(text);
  if (key.length !== 32) throw new Error("WORKER_KEY must be 32 bytes in base64 or hex");
  return key;
}

/** Decodes base64 of either alphabet. */
function bytes(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
}
