/** Single bits that flip on the disks; `npm run test:slow -- flips` flips a million. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTemporaryFolder, type TemporaryFolder } from '../../src/testing/index.ts';
import { ofCampaign } from '../support/campaign.ts';
import { FlipCampaign, type FlipPart } from '../support/flip-campaign.ts';
import type { FlipFigures } from '../support/flips.ts';

const SEED = 20_260;
const FLIPS = ofCampaign(20_000);

let folder: TemporaryFolder;
let campaign: FlipCampaign;

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  campaign = await FlipCampaign.open(folder.path);
});

afterAll(async () => {
  await campaign.close();
  await folder.remove();
});

async function flip(name: string): Promise<FlipFigures> {
  const part = campaign.parts.find((one) => one.name === name) as FlipPart;
  const count = (FLIPS * part.perMille) / 1000;
  const figures = await part.flip({ count, seed: SEED });
  expect([...figures.values()].reduce((sum, some) => sum + some, 0)).toBe(count);
  return figures;
}

/** What was flipped, without who noticed. */
function flipped(figures: FlipFigures): readonly string[] {
  return [...new Set([...figures.keys()].map((what) => what.replace(/: .*/, '')))].sort();
}

const BLOBS = [
  'config, read by whoever opens the store',
  'journal pack, read whole',
  'journal pack, read whole, digests mended',
  'pack, read whole',
  'pack, read whole, digests mended',
];

describe(`a bit that flips (seed ${SEED})`, () => {
  it('is noticed in every config, pack and journal pack of a plain store, though digests be mended', async () => {
    expect(flipped(await flip('blobs of a plain store'))).toEqual(BLOBS);
  });

  it('is noticed in every config, key page, pack and journal pack of a sealed store, padding included', async () => {
    const what = [...BLOBS, 'key page, read with its entry'].sort();
    expect(flipped(await flip('blobs of a sealed store'))).toEqual(what);
  });

  it('is noticed in every shard of a spread store, read past, and healed to the bytes that were there', async () => {
    const what = ['shard of a stripe, seen and healed', 'shard of copies, seen and healed'];
    expect(flipped(await flip('shards of a spread store'))).toEqual(what);
  });

  it('of what tells a disk of a spread store is refused at the place of the store, done without elsewhere', async () => {
    expect(flipped(await flip('configs and marks of a spread store'))).toEqual([
      'holdfast-backend.json, at the place of the store',
      'holdfast-backend.json, of another disk',
      'holdfast.json, at the place of the store',
      'holdfast.json, of another disk',
    ]);
  });

  it.each([
    'plain',
    'sealed',
  ])('never gives wrong bytes in the metadata of a %s store, and hides nothing without a trace', async (kind) => {
    await flip(`metadata of a ${kind} store`);
    await flip(`log of the metadata of a ${kind} store`);
  });
});
