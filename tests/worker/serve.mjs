// Runs the reference worker under Node, as a platform at the edge would: prints where it listens.
import { createServer } from "node:http";
import { Readable } from "node:stream";
import worker from "../../docs/worker/worker.js";

const server = createServer(async (incoming, outgoing) => {
  const url = `http://${incoming.headers.host}${incoming.url}`;
  const request = new Request(url, { method: incoming.method, headers: incoming.headers });
  const response = await worker.fetch(request, process.env);
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  if (response.body) Readable.fromWeb(response.body).pipe(outgoing);
  else outgoing.end();
});
server.listen(0, "127.0.0.1", () => console.log(`listens on http://127.0.0.1:${server.address().port}/`));
