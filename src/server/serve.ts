/** A handler behind a socket of this machine. */
import { createServer as createPlainServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Store } from '../index.ts';
import { SERVER_CONNECTIONS_MAX, SERVER_GRACE_MS, SERVER_HEADER_BYTES_MAX, SERVER_HEADER_MS_MAX } from '../limits.ts';
import { sleep } from '../runtime/timers.ts';
import type { Peer } from './access/access.ts';
import { createHandler } from './create-handler.ts';
import { lingering } from './http/linger.ts';
import type { HandlerOptions } from './settings.ts';

/** Where and how to listen. */
export interface ServeOptions extends Omit<HandlerOptions, 'stopping'> {
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Default 7070; 0 takes any that is free. */
  readonly port?: number;
  /** Certificate and key, PEM. Default: plain HTTP. */
  readonly tls?: { readonly cert: string | Uint8Array; readonly key: string | Uint8Array };
  /** Connections held at once. Default 1,024. */
  readonly connectionsMax?: number;
  /** How long the head of a request may take. Default 10,000 ms. */
  readonly headerMs?: number;
  /** How long requests in flight may go on once `close` was called. Default 30,000 ms. */
  readonly graceMs?: number;
}

/** A server that listens. */
export interface RunningServer {
  /** Without a slash at its end. */
  readonly url: string;
  /** Takes no new connections, lets what is in flight end, and cuts off what does not in time. Leaves the store open. */
  close(): Promise<void>;
}

const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORT = 7070;
const CHECKS_OF_HEADERS = 4;

function peerOf(incoming: IncomingMessage, outgoing: ServerResponse): Peer {
  const { remoteAddress } = incoming.socket;
  const awaits = incoming.headers.expect?.toLowerCase() === '100-continue';
  return {
    ...(remoteAddress !== undefined && { address: remoteAddress }),
    ...(awaits && { startBody: () => outgoing.writeContinue() }),
    disconnect: () => outgoing.destroy(),
  };
}

function refuseBare(outgoing: ServerResponse): void {
  outgoing.writeHead(400, { connection: 'close' }).end();
}

function makeServer({ tls, headerMs = SERVER_HEADER_MS_MAX, connectionsMax }: ServeOptions): Server {
  const options = {
    maxHeaderSize: SERVER_HEADER_BYTES_MAX,
    headersTimeout: headerMs,
    connectionsCheckingInterval: Math.ceil(headerMs / CHECKS_OF_HEADERS),
    // A large upload takes as long as it takes: the progress rule ends those that stand still.
    requestTimeout: 0,
  };
  const server = tls
    ? createTlsServer({ ...options, cert: Buffer.from(tls.cert), key: Buffer.from(tls.key) })
    : createPlainServer(options);
  server.maxConnections = connectionsMax ?? SERVER_CONNECTIONS_MAX;
  return server;
}

function urlOf(server: Server, isSecure: boolean): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `${isSecure ? 'https' : 'http'}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

async function listen(server: Server, { host = DEFAULT_HOST, port = DEFAULT_PORT }: ServeOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ host, port }, resolve);
  await promise;
  server.off('error', reject);
}

/** Every connection, so that none outlives the server. */
function watchConnections(server: Server): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return open;
}

/**
 * Serves a store, which stays the caller's to close.
 * @returns once it listens
 * @throws the system's error when it cannot listen there
 */
export async function serve(store: Store, options: ServeOptions = {}): Promise<RunningServer> {
  const stopping = new AbortController();
  const handler = createHandler(store, { ...options, stopping: stopping.signal });
  const listener = getRequestListener(
    async (request, { incoming, outgoing }) => {
      const peer = peerOf(incoming as IncomingMessage, outgoing as ServerResponse);
      const answer = await handler(request, peer);
      const awaits = peer.startBody !== undefined;
      return await lingering(answer, incoming as IncomingMessage, { awaits, signal: stopping.signal });
    },
    // The globals of this process belong to whoever runs it.
    { overrideGlobalObjects: false },
  );
  const server = makeServer(options);
  const connections = watchConnections(server);
  const answer = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    // A connection that is kept for the next request would keep the server.
    if (stopping.signal.aborted) outgoing.setHeader('connection', 'close');
    outgoing.once('finish', () => {
      if (stopping.signal.aborted) incoming.socket.end();
    });
    // Of two hosts somebody before us may have believed the other one (RFC 9112, section 3.2).
    if ((incoming.headersDistinct.host?.length ?? 0) > 1) refuseBare(outgoing);
    else void listener(incoming, outgoing);
  };
  server.on('request', answer);
  // The client waits for a word before it sends its body: it gets that when somebody reads, and before that an answer may do.
  server.on('checkContinue', answer);
  await listen(server, options);
  return {
    url: urlOf(server, options.tls !== undefined),
    async close() {
      stopping.abort();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const patience = new AbortController();
      const late = sleep(options.graceMs ?? SERVER_GRACE_MS, { signal: patience.signal }).then(
        () => {
          for (const socket of connections) socket.destroy();
        },
        () => undefined,
      );
      await closed;
      patience.abort();
      await late;
    },
  };
}
