/**
 * What is done to the server, each once: what it must answer is said where it is done. Where it answers before all was sent, it ends
 * the connection, and what it said may be lost on the way.
 */
import { deepStrictEqual } from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import type { Attacker } from './attacker.ts';

const MIB = 1024 ** 2;
const BOMB_BYTES = 64 * MIB;
const BODY_BYTES_MAX = 300_000;

const TUS = { 'Tus-Resumable': '1.0.0' };
const PATCH = { ...TUS, 'Content-Type': 'application/offset+octet-stream' };
const JSON_TYPE = { 'Content-Type': 'application/json' };
const metadata = (key: string): string => `key ${Buffer.from(key).toString('base64')}`;
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

const made = await packTar([{ header: { name: 'zeros', size: BOMB_BYTES }, body: new Uint8Array(BOMB_BYTES) }]);
const BOMB = gzipSync(made);

/** Bytes that nothing else has, so that whatever stays of them takes space. */
function body({ random }: Attacker): Uint8Array {
  return random.bytes(1 + random.integer(BODY_BYTES_MAX));
}

/** Of what must never be seen. */
function never({ random }: Attacker): string {
  return `never/${random.integer(1e9)}`;
}

async function slowHead(me: Attacker): Promise<void> {
  await me.hold(`GET /files/k HTTP/1.1\r\nHost: localhost\r\nX-Never: ${'x'.repeat(me.random.integer(1000))}`);
}

async function slowBody(me: Attacker): Promise<void> {
  await me.hold(`${me.head('PUT', `/files/${never(me)}`, { 'Content-Length': 100_000 })}hello`);
}

/** Never quite still: a byte comes now and then. */
async function drippingBody(me: Attacker): Promise<void> {
  const client = await me.hold(me.head('PUT', `/files/${never(me)}`, { 'Transfer-Encoding': 'chunked' }));
  const drip = setInterval(() => client.send('1\r\nx\r\n'), 50);
  void client.closed().then(() => clearInterval(drip));
}

async function neverReading(me: Attacker): Promise<void> {
  const client = await me.hold(me.head('GET', '/files/large'));
  client.pause();
}

async function parkedListener(me: Attacker): Promise<void> {
  const client = await me.connect();
  client.send(
    `GET /events HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${me.world.bearer('operator')}\r\nConnection: close\r\n\r\n`,
  );
  client.pause();
  me.parked.push(client);
}

async function hugeHead(me: Attacker): Promise<void> {
  await me.say(
    'huge head',
    me.head('GET', '/files/small', { 'X-Huge': 'x'.repeat(33_000 + me.random.integer(1e6)) }),
    /431|none/,
  );
}

async function tooMuchSaid(me: Attacker): Promise<void> {
  // What follows the length that was said is another request, and none.
  const head = me.head('PUT', `/files/${never(me)}`, {
    'Content-Length': 5,
    'Content-Digest': `blake3=:${'A'.repeat(43)}=:`,
  });
  await me.say('more than the length', `${head}${latin1(body(me))}`, /400|none/);
}

async function lengthAndChunks(me: Attacker): Promise<void> {
  const both = { 'Content-Length': 5, 'Transfer-Encoding': 'chunked' };
  await me.say('length and chunks', `${me.head('PUT', `/files/${never(me)}`, both)}5\r\nhello\r\n0\r\n\r\n`, /400/);
}

async function earlyClose(me: Attacker): Promise<void> {
  const bytes = body(me);
  const part = latin1(bytes.subarray(0, me.random.integer(bytes.length)));
  await me.sayAndLeave(`${me.head('PUT', `/files/${never(me)}`, { 'Content-Length': bytes.length })}${part}`);
}

async function earlyCloseOfForm(me: Attacker): Promise<void> {
  const bytes = body(me);
  const form = `--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n${latin1(bytes)}\r\n--b--\r\n`;
  const head = { 'Content-Type': 'multipart/form-data; boundary=b', 'Content-Length': form.length };
  await me.sayAndLeave(
    `${me.head('POST', `/files/${never(me)}/`, head)}${form.slice(0, me.random.integer(form.length))}`,
  );
}

/** Begins an upload, sends some of it, and is never seen again. */
async function abandonedUpload(me: Attacker): Promise<void> {
  const bytes = body(me);
  const headers = { ...TUS, 'Upload-Length': `${bytes.length}`, 'Upload-Metadata': metadata(never(me)) };
  const { status, headers: heard } = await me.caller.ask('POST', `${me.caller.namespace}/uploads`, { headers });
  me.judge('abandoned upload', `HTTP/1.1 ${status}`, /201/);
  if (status !== 201) return;
  const where = String(heard.location).slice(me.caller.namespace.length);
  const part = latin1(bytes.subarray(0, me.random.integer(bytes.length)));
  await me.sayAndLeave(
    `${me.head('PATCH', where, { ...PATCH, 'Upload-Offset': 0, 'Content-Length': bytes.length })}${part}`,
  );
}

async function rangeBomb(me: Attacker): Promise<void> {
  const ranges = Array.from({ length: 1000 }, (_, at) => `${at * 10}-${at * 10 + me.random.integer(10)}`).join();
  await me.say('range bomb', me.head('GET', '/files/large', { Range: `bytes=${ranges}` }), /416/);
}

async function hostileJson(me: Attacker): Promise<void> {
  const depth = 1000 + me.random.integer(100_000);
  const text = me.pick([
    '['.repeat(depth) + ']'.repeat(depth),
    '{"operations":'.repeat(depth / 10),
    `{"operations":[${'0,'.repeat(depth)}0]}`,
    `{"operations":[{"op":"put","key":"never/json","text":"","__proto__":{"ifAbsent":true}}]}`,
    `{"__proto__":{"admin":true},"operations":[]}`,
    `{"operations":[],"operations":[]}`,
    `{"operations":[{"op":"put","key":"never/json","base64":"${'A'.repeat(depth)}!"}]}`,
  ]);
  await me.say(
    'hostile JSON',
    `${me.head('POST', '/batch', { ...JSON_TYPE, 'Content-Length': text.length })}${text}`,
    /400|none/,
  );
}

async function hostileQuery(me: Attacker): Promise<void> {
  const query = me.pick([
    '__proto__=x',
    'constructor[prototype]=x',
    `${'a=b&'.repeat(5000)}`,
    'limit=1e9',
    'after=%ff',
  ]);
  await me.say('hostile query', me.head('GET', `/files?${query}`), /400/);
}

async function encodedBomb(me: Attacker): Promise<void> {
  const head = { 'Content-Encoding': me.pick(['gzip', 'zstd', 'gzip, gzip']), 'Content-Length': BOMB.length };
  await me.say('encoded bomb', `${me.head('PUT', `/files/${never(me)}`, head)}${latin1(BOMB)}`, /415|none/);
}

/** What is unpacked on purpose: it may come to what the namespace takes, and no further. */
async function archiveBomb(me: Attacker): Promise<void> {
  const head = me.head('POST', '/snapshots/tar?ref=bomb', { 'Content-Length': BOMB.length });
  await me.say('archive bomb', `${head}${latin1(BOMB)}`, /201|412|507|none/);
}

async function tokenGuess(me: Attacker): Promise<void> {
  const guess = `hft_${Buffer.from(me.random.bytes(8)).toString('hex')}_${Buffer.from(me.random.bytes(32)).toString('base64url')}`;
  await me.say('guessed token', me.head('GET', '/files', { Authorization: `Bearer ${guess}` }), /401/);
}

/** A namespace of somebody else is answered like one that does not exist. */
async function namespaceGuess(me: Attacker): Promise<void> {
  const [method, path] = me.pick([
    ['GET', '/files/0'],
    ['DELETE', '/files/0'],
    ['GET', '/files?prefix='],
    ['GET', '/stats'],
    ['GET', '/snapshots/tar?address=all'],
    ['PUT', '/files/never'],
  ] as const);
  const told = [];
  for (const name of ['friend', 'nobody']) {
    const { status, body: text } = await me.caller.ask(method, `/namespaces/${name}${path}`);
    told.push([status === 429 ? 404 : status, text.toString().replaceAll(name, 'NAME')]);
  }
  if (told.every(([, text]) => !String(text).includes('REQUESTS_EXCEEDED'))) deepStrictEqual(told[0], told[1]);
  deepStrictEqual(told[0]?.[0], 404);
}

async function droppedDownload(me: Attacker): Promise<void> {
  const client = await me.connect();
  client.send(
    me.head(
      'GET',
      me.pick([
        '/snapshots/tar?address=all',
        '/snapshots/zip?address=all',
        '/snapshots/export?address=all',
        '/files/large',
      ]),
    ),
  );
  await client.until('\r\n\r\n').catch(() => undefined);
  client.leave();
}

async function manyAtOnce(me: Attacker): Promise<void> {
  const one = me.head('GET', '/files/small').replace('Connection: close\r\n', '');
  await me.sayAndLeave(one.repeat(1 + me.random.integer(100)));
}

async function noRequest(me: Attacker): Promise<void> {
  await me.sayAndLeave(me.pick(['', '\x16\x03\x01\x02\x00\x01\x00', 'SSH-2.0-OpenSSH_9.0\r\n', '\0'.repeat(1000)]));
}

/** By name. */
export const ATTACKS: Readonly<Record<string, (me: Attacker) => Promise<void>>> = {
  ...{ slowHead, slowBody, drippingBody, neverReading, parkedListener },
  ...{ hugeHead, tooMuchSaid, lengthAndChunks, rangeBomb, hostileJson, hostileQuery, encodedBomb, archiveBomb },
  ...{ earlyClose, earlyCloseOfForm, abandonedUpload, droppedDownload, manyAtOnce, noRequest },
  ...{ tokenGuess, namespaceGuess },
};
