import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Logger, Store } from '../../index.ts';
import type { ServeOptions, UploadOptions } from '../../server/index.ts';
import { fileError } from '../file-error.ts';
import { loadServer } from '../library.ts';
import { parseBytes, parseCount, parseSpan } from '../options.ts';
import { type TokenFlags, tokenFileOf, uploadsFolderOf } from '../server-locations.ts';
import type { Session } from '../session.ts';
import { escapeControls } from '../text/format-text.ts';
import { usageError } from '../usage-error.ts';

interface Address {
  readonly host: string;
  readonly port: number;
}

interface ServeFlags extends TokenFlags {
  readonly demo?: boolean;
  readonly listen: Address;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly insecureHttp?: boolean;
  readonly behindProxy?: boolean;
  readonly requireToken?: boolean;
  readonly readOnly?: boolean;
  readonly conditionalWrites?: boolean;
  readonly dashboard: boolean;
  readonly bodyMax?: number;
  readonly requestsMax?: number;
  readonly rate?: number;
  readonly auditLog?: string;
  readonly uploads?: string;
  readonly uploadsExpire?: number;
}

const ADDRESS = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]*)):(\d{1,5})$/i;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/;
/** Names of entries stand in it. */
const AUDIT_MODE = 0o600;
const PORT_MAX = 65_535;

/** `HOST:PORT`, `[IPv6]:PORT`, or `:PORT` on the loopback. */
function parseAddress(text: string): Address {
  const [, six, four, port] = ADDRESS.exec(text) ?? [];
  if (port === undefined || Number(port) > PORT_MAX)
    throw new InvalidArgumentError('It must be HOST:PORT, such as 127.0.0.1:7070, [::1]:7070 or :7070.');
  return { host: six ?? (four || '127.0.0.1'), port: Number(port) };
}

function parseRequests(text: string): number {
  const count = parseCount(text);
  if (count === 0) throw new InvalidArgumentError('It must be above 0.');
  return count;
}

/** Appends lines in the order of the events; disposing it waits until all of them are in the file. */
async function openAuditLog(session: Session, file: string) {
  const handle = await open(file, 'a', AUDIT_MODE).catch((error: unknown) => {
    throw fileError(error, file, 'write');
  });
  const stream = handle.createWriteStream();
  stream.on('error', (error) => session.report(fileError(error, file, 'write')));
  return {
    audit: (event: object) => void stream.write(`${JSON.stringify(event)}\n`),
    // What could not be written was told when it was.
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => stream.end(() => resolve())),
  };
}

function check(session: Session, { demo, readOnly, ...flags }: ServeFlags): void {
  const { listen, tlsCert, tlsKey, insecureHttp, behindProxy } = flags;
  if (demo && (session.options.store !== undefined || readOnly))
    throw usageError('--demo makes a store of its own, to be changed: it goes with neither --store nor --read-only');
  if ((tlsCert === undefined) !== (tlsKey === undefined)) throw usageError('--tls-cert and --tls-key belong together');
  if (tlsCert !== undefined || insecureHttp || behindProxy || LOOPBACK.test(listen.host)) return;
  throw usageError(
    `${listen.host} can be reached from elsewhere, and tokens would go there in the clear: give --tls-cert and --tls-key, or ` +
      '--behind-proxy, or say --insecure-http',
  );
}

async function readTls({ tlsCert, tlsKey }: ServeFlags): Promise<{ tls?: { cert: Uint8Array; key: Uint8Array } }> {
  if (tlsCert === undefined || tlsKey === undefined) return {};
  const read = (file: string): Promise<Uint8Array> =>
    readFile(file).catch((error: unknown) => {
      throw fileError(error, file, 'read');
    });
  return { tls: { cert: await read(tlsCert), key: await read(tlsKey) } };
}

/** What fails here is told each time, with all there is: answers name it by its `instance`, and say no more. */
function serverLogger(session: Session): Logger {
  const note = (message: string, details: object = {}): void => {
    const { error, ...rest } = details as { error?: unknown };
    const cause = error instanceof Error ? (error.stack ?? error.message) : error;
    const text = `${message} ${JSON.stringify({ ...rest, error: cause })}`;
    session.terminal.note(
      session.options.json
        ? JSON.stringify({ log: { message, ...rest, error: cause } })
        : `holdfast: ${escapeControls(text)}`,
    );
  };
  return { debug: () => undefined, info: () => undefined, warn: note, error: note };
}

/** What is served, and where the server keeps what belongs to it. */
interface Served extends AsyncDisposable {
  readonly store: Store;
  readonly tokenFile: string;
  readonly uploadsFolder: string;
  /** Its backends, of a demonstration. */
  readonly demo?: ServeOptions['demo'];
}

async function openDemoStore(session: Session, flags: ServeFlags): Promise<Served> {
  const { openDemo } = await loadServer();
  if (!session.options.json) session.terminal.note('holdfast: making a store to try things on');
  const demo = await openDemo({ logger: session.logger() });
  const { store, backends, folder } = demo;
  const tokenFile = flags.tokens ?? path.join(folder, 'tokens.json');
  const uploadsFolder = flags.uploads ?? path.join(folder, 'uploads');
  return { store, tokenFile, uploadsFolder, demo: backends, [Symbol.asyncDispose]: () => demo[Symbol.asyncDispose]() };
}

async function openServed(session: Session, flags: ServeFlags): Promise<Served> {
  if (flags.demo) return openDemoStore(session, flags);
  const tokenFile = await tokenFileOf(session, flags);
  const uploadsFolder = await uploadsFolderOf(session, flags.uploads);
  const store = await session.openStore({ readOnly: flags.readOnly === true });
  return { store, tokenFile, uploadsFolder, [Symbol.asyncDispose]: () => store.close() };
}

function uploadsOf({ uploadsFolder: folder }: Served, { uploadsExpire: keptMs }: ServeFlags): UploadOptions {
  return { folder, ...(keptMs !== undefined && { keptMs }) };
}

function describeServer(url: string, { dashboard }: ServeFlags): string {
  const places = [...(dashboard ? [`dashboard: ${url}/dashboard`] : []), `routes: ${url}/reference`];
  return [`serving at ${url}`, ...places].join('\n  ');
}

async function serveStore(session: Session, flags: ServeFlags): Promise<void> {
  check(session, flags);
  const { serve, TokenFile } = await loadServer();
  const tls = await readTls(flags);
  await using served = await openServed(session, flags);
  const { store, demo } = served;
  const tokens = new TokenFile(served.tokenFile);
  // A file that cannot be read is told of now, and not to the first who calls.
  await tokens.list();
  const { requestsMax, bodyMax, rate, auditLog } = flags;
  await using log = auditLog === undefined ? undefined : await openAuditLog(session, auditLog);
  const running = await serve(store, {
    ...flags.listen,
    ...tls,
    access: { tokens, loopback: flags.requireToken !== true, behindProxy: flags.behindProxy === true },
    limits: {
      ...(bodyMax !== undefined && { bodyBytesMax: bodyMax }),
      ...(requestsMax !== undefined && { requestsMax }),
      ...(rate !== undefined && { requestsPerSecond: rate }),
    },
    ...(log && { audit: log.audit }),
    conditionalWrites: flags.conditionalWrites === true,
    // Nothing is begun that cannot be finished.
    ...(!flags.readOnly && { uploads: uploadsOf(served, flags) }),
    ...(demo && { demo }),
    dashboard: flags.dashboard,
    logger: serverLogger(session),
  });
  await session.result({ url: running.url }, () => describeServer(running.url, flags));
  await session.terminal.flush();
  if (!session.signal.aborted) await once(session.signal, 'abort');
  await running.close();
}

const HELP = `
Clients on this machine need no token, unless --require-token or --behind-proxy is given; all others do: \`holdfast token add\`.
Ctrl-C and SIGTERM stop it: requests in flight get 30 seconds to end. Exit status 0 then. docs/http-api.md has every route,
docs/dashboard.md tells what the page at /dashboard shows.

With --demo there is a store in the temporary folder, spread over five folders of which any two may be lost, until the server
ends. POST /demo/backends/disk1/break deletes one of them, .../mend puts an empty one in its place.

Examples:
  $ holdfast serve
  $ holdfast serve --demo
  $ holdfast serve --listen 0.0.0.0:7070 --tls-cert cert.pem --tls-key key.pem
  $ curl -T report.pdf http://127.0.0.1:7070/files/docs/report.pdf`;

/** Defines `holdfast serve`. */
export function addServe(program: Command, session: Session): void {
  program
    .command('serve')
    .summary('serve the store over HTTP')
    .description('Serves the store over HTTP, for other languages and for browsers.')
    .option('--demo', 'serve a throw-away store with content, on disks that may be broken')
    .addOption(
      new Option('--listen <host:port>', 'where; port 0 takes any that is free')
        .argParser(parseAddress)
        .default({ host: '127.0.0.1', port: 7070 } satisfies Address, '127.0.0.1:7070'),
    )
    .option('--tokens <file>', 'the file that tokens are kept in')
    .option('--require-token', 'ask clients on this machine for a token too')
    .option('--tls-cert <file>', 'certificate, PEM: serve HTTPS')
    .option('--tls-key <file>', 'its key, PEM')
    .option('--behind-proxy', 'believe X-Forwarded-For and X-Forwarded-Host; everybody needs a token')
    .option('--insecure-http', 'serve plain HTTP where others can reach it')
    .option('--read-only', 'refuse every change')
    .option('--conditional-writes', 'replace and delete only with If-Match (428 otherwise)')
    .option('--body-max <size>', 'largest upload: 500, 64KiB, 10GiB', parseBytes)
    .option('--requests-max <count>', 'requests answered at once; default 512', parseCount)
    .option('--rate <count>', 'requests a second of one token or address; default: no bound', parseRequests)
    .option('--uploads <folder>', 'the folder that unfinished uploads are kept in')
    .option('--uploads-expire <span>', 'how long after their last byte: 90s, 15m, 12h, 7d; default 24h', parseSpan)
    .option('--no-dashboard', 'no page for browsers at /dashboard')
    .option('--audit-log <file>', 'add a line of JSON to it for every change and every refusal')
    .addHelpText('after', HELP)
    .action((flags: ServeFlags) => serveStore(session, flags));
}
