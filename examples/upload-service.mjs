/**
 * An upload service: a page where people who know a secret link drop files, and which shows them nothing else. The store
 * is part of the program; Holdfast's handler does the uploading, behind the program's own page.
 *
 *     npm install holdfast @hono/node-server
 *     node upload-service.mjs ./dropped 8080
 *
 * What was dropped: `holdfast -s ./dropped ls`, once the service has ended.
 */
import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { createStore, openStore } from 'holdfast';
import { createHandler } from 'holdfast/server';

const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Drop files</title>
<h1>Drop files</h1><input type="file" multiple aria-label="Files"><ul></ul>
<script>
const headers = { authorization: 'Bearer ' + location.hash.slice(1), 'if-none-match': '*' };
document.querySelector('input').onchange = async ({ target }) => {
  for (const file of target.files) {
    const line = document.querySelector('ul').appendChild(document.createElement('li'));
    line.textContent = file.name + ' …';
    const address = '/files/' + encodeURIComponent(Date.now() + ' ' + file.name);
    const type = { 'content-type': file.type || 'application/octet-stream' };
    const answer = await fetch(address, { method: 'PUT', body: file, headers: { ...headers, ...type } });
    line.textContent = file.name + (answer.ok ? ' is there' : ': ' + (await answer.json()).detail);
  }
};
</script></html>`;

async function openOrCreate(folder) {
  try {
    return await openStore(folder);
  } catch (error) {
    if (error.code !== 'STORE_NOT_FOUND') throw error;
    return await createStore(folder, { keys: 'none' });
  }
}

/** @returns the service, which is to be closed, and the link that people are given */
export async function startUploads(folder, port) {
  const store = await openOrCreate(folder);
  const secret = crypto.randomUUID();
  // Who has the link may make files that are not there yet; not read, replace or delete any.
  const find = async (token) => (token === secret ? { name: 'visitor', verbs: ['put'] } : undefined);
  const handler = createHandler(store, { access: { tokens: { find } } });
  // The bridge from Node's requests to those of the web, and back; what is cut off midway ends the connection.
  const takeFile = getRequestListener(
    (request, { incoming, outgoing }) =>
      handler(request, { address: incoming.socket.remoteAddress, disconnect: () => outgoing.destroy() }),
    { overrideGlobalObjects: false },
  );
  const server = createServer((incoming, outgoing) => {
    if (incoming.url === '/') outgoing.setHeader('content-type', 'text/html').end(PAGE);
    else void takeFile(incoming, outgoing);
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
    await store.close();
  };
  return { link: `http://127.0.0.1:${server.address().port}/#${secret}`, close };
}

const [, program, folder, port] = process.argv;
if (import.meta.filename === program) {
  const { link, close } = await startUploads(folder ?? './dropped', Number(port ?? 8080));
  console.log(`drop files at ${link}`);
  process.once('SIGINT', close);
}
