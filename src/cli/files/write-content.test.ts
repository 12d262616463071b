import { describe, expect, it } from 'vitest';
import { noise } from '../../../test/support/contents.ts';
import { writeContent } from './write-content.ts';

const CONTENT = noise(5_000_000, 3);

/** The content in pieces of many sizes, none among them. */
async function* pieces(content = CONTENT): AsyncGenerator<Uint8Array> {
  const sizes = [0, 1, 70_000, 4096, 1_500_000, 333];
  for (let at = 0, nth = 0; at < content.length; nth += 1) {
    const size = sizes[nth % sizes.length] as number;
    yield content.subarray(at, at + size);
    at += size;
  }
}

describe('content that is written', () => {
  it('is all there, however little is taken at a time, and never two writes at once', async () => {
    const written: Uint8Array[] = [];
    let underWay = 0;
    let told = 0;
    const write = async (buffers: readonly Uint8Array[]): Promise<number> => {
      underWay += 1;
      expect(underWay).toBe(1);
      await new Promise(setImmediate);
      const all = Buffer.concat(buffers);
      const taken = Math.min(all.length, 400_001);
      written.push(all.subarray(0, taken));
      underWay -= 1;
      return taken;
    };
    await writeContent(pieces(), write, (bytes) => {
      told += bytes;
    });
    expect(Buffer.concat(written).equals(CONTENT)).toBe(true);
    expect(told).toBe(CONTENT.length);
  });

  it('calls nothing for nothing', async () => {
    await writeContent(pieces(new Uint8Array(0)), () => Promise.reject(new Error('called')));
  });

  it('ends with the failure of a write, also of the last one, and asks for no more content', async () => {
    for (const nth of [1, 3]) {
      let calls = 0;
      let asked = 0;
      const write = async (buffers: readonly Uint8Array[]): Promise<number> => {
        calls += 1;
        if (calls === nth) throw new Error('full');
        return Buffer.concat(buffers).length;
      };
      const content = async function* () {
        for (asked = 0; asked < 3; asked += 1) yield CONTENT.subarray(0, 1_100_000);
      };
      await expect(writeContent(content(), write)).rejects.toThrow('full');
      expect([calls, asked]).toEqual(nth === 1 ? [1, 1] : [3, 3]);
    }
  });

  it('ends with the failure of the content, when nothing is being written any more', async () => {
    let isWriting = false;
    const write = async (buffers: readonly Uint8Array[]): Promise<number> => {
      isWriting = true;
      await new Promise((resolve) => setTimeout(resolve, 20));
      isWriting = false;
      return Buffer.concat(buffers).length;
    };
    const content = async function* () {
      yield CONTENT.subarray(0, 1_100_000);
      throw new Error('damaged');
    };
    await expect(writeContent(content(), write)).rejects.toThrow('damaged');
    expect(isWriting).toBe(false);
  });
});
