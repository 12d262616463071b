/** A large upload with the real client of tus, through a line that is cut and a server that is killed. */
import { createReadStream } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import path from 'node:path';
import { Upload } from 'tus-js-client';
import { describe, expect, it } from 'vitest';
import { blake3, formatDigest } from '../../src/hash/index.ts';
import { createCliFolder } from '../support/cli.ts';
import { type CliServer, startServer } from '../support/cli-server.ts';
import { noise } from '../support/contents.ts';

const MIB = 1024 ** 2;
const SIZE = Number(process.env.HOLDFAST_UPLOAD_MIB ?? 256) * MIB;

/** A line to whichever server there is; what is on its way when it is cut is lost. */
async function openLine() {
  const open = new Set<Socket>();
  let port = 0;
  const server = createServer((from) => {
    const to = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      open.add(one);
      one
        .on('error', () => undefined)
        .on('close', () => {
          open.delete(one);
          other.destroy();
        });
      one.pipe(other, { end: true });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: own } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${own}`,
    leadTo: ({ url }: CliServer) => {
      port = Number(new URL(url).port);
    },
    cut: () => {
      for (const one of open) one.destroy();
    },
    close: () => {
      for (const one of open) one.destroy();
      server.close();
    },
  };
}

describe('an upload of hundreds of megabytes', () => {
  it('arrives through cuts of its line and kills of its server', async () => {
    const folder = await createCliFolder();
    const line = await openLine();
    const file = path.join(folder.path, 'large.bin');
    const content = noise(SIZE, 9);
    await writeFile(file, content);
    let server = await startServer(folder.path);
    line.leadTo(server);
    let restarted = Promise.resolve();
    const kill = (): void => {
      restarted = server.kill().then(async () => {
        server = await startServer(folder.path);
        line.leadTo(server);
      });
    };
    // Of what was sent; the last one hits the server while it makes the entry.
    const troubles = [
      { at: 0.1, make: line.cut },
      { at: 0.35, make: kill },
      { at: 0.5, make: line.cut },
      { at: 0.75, make: kill },
      { at: 1, make: kill },
    ];
    const begun = new Set<string>();
    let goneOnWith = 0;
    await new Promise<void>((resolve, reject) => {
      const upload = new Upload(createReadStream(file), {
        endpoint: `${line.url}/uploads`,
        metadata: { key: 'large.bin', ifNoneMatch: '*' },
        retryDelays: Array.from({ length: 100 }, () => 100),
        onUploadUrlAvailable: () => void begun.add(upload.url ?? ''),
        onProgress: (sent) => {
          const [next] = troubles;
          if (next === undefined || sent < next.at * SIZE) return;
          troubles.shift();
          goneOnWith += 1;
          next.make();
        },
        onShouldRetry: () => true,
        onError: reject,
        onSuccess: () => resolve(),
      });
      upload.start();
    });
    await restarted;
    expect([troubles.length, goneOnWith, begun.size]).toEqual([0, 5, 1]);
    const entry = (await (await fetch(`${server.url}/stat/large.bin`)).json()) as { digest: string };
    expect(entry.digest).toBe(formatDigest('blake3', blake3(content)));
    expect(await server.stop()).toBe(0);
    const state = path.join(folder.path, '..', 'state');
    const [spool = ''] = (await readdir(state)).filter((name) => name.startsWith('uploads-'));
    expect(await readdir(path.join(state, spool))).toHaveLength(1);
    const reading = await startServer(folder.path, '--read-only');
    expect((await fetch(`${reading.url}/uploads`, { method: 'OPTIONS' })).status).toBe(501);
    expect(await reading.stop()).toBe(0);
    line.close();
    await folder.remove();
  });
});
