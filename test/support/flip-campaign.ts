/** The campaign of flipped bits: which stores there are, what is flipped of them, and how often. */
import { cp, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { openStore } from '../../src/index.ts';
import { type FlipFigures, type FlipRun, flipBlobs, flipFile } from './flips.ts';
import { makePlainSample, plainEntries } from './plain-sample.ts';
import {
  crashCopy,
  type ImageOptions,
  type KnownEntry,
  makeSampleStore,
  metadataPath,
  SEALED_OPTIONS,
  StoreImage,
  sampleEntries,
} from './sealed-store.ts';
import { flipControls, flipShards } from './spread-flips.ts';

/** One kind of flips. */
export interface FlipPart {
  readonly name: string;
  /** Of a thousand flips of the campaign so many. */
  readonly perMille: number;
  /** @throws at the first flip that gives wrong bytes, or that nobody notices */
  readonly flip: (run: { readonly count: number; readonly seed: number }) => Promise<FlipFigures>;
}

/** A large pack has nothing that small ones have not, and is hashed for each of its flips. */
const LEFT = ['packed'];
/** Of five hundred chunks: where everything is read after every flip, that is done without it. */
const SLOW = 'many';
/** Of blobs: everything is read, and the store checked, after each of so many flips. */
const READ_EVERY = 1000;
const SPREAD_READ_EVERY = 50;
const FILE_CHECK_EVERY = 10;

type Three = [string, string, string];

export class FlipCampaign {
  readonly #images: StoreImage[] = [];
  readonly #parts: FlipPart[] = [];

  /** Makes the stores. @param folder is emptied */
  static async open(folder: string): Promise<FlipCampaign> {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    const campaign = new FlipCampaign();
    await campaign.#addSealed(path.join(folder, 'sealed'));
    await campaign.#addPlain(path.join(folder, 'plain'));
    await campaign.#addSpread(path.join(folder, 'spread'));
    return campaign;
  }

  get parts(): readonly FlipPart[] {
    return this.#parts;
  }

  async close(): Promise<void> {
    for (const image of this.#images) await image.close();
  }

  async #addSealed(folder: string): Promise<void> {
    await makeSampleStore(folder, 1, LEFT);
    const known = sampleEntries().filter(({ key }) => !LEFT.includes(key));
    const { keys } = SEALED_OPTIONS;
    const image = await this.#image(folder, { keys });
    this.#add('blobs of a sealed store', 500, (run) => flipBlobs({ image, known, readEvery: READ_EVERY, ...run }));
    await this.#addFiles('sealed', folder, { keys, known });
  }

  async #addPlain(folder: string): Promise<void> {
    await makePlainSample(folder);
    const known = plainEntries(false);
    const image = await this.#image(folder, { keys: 'none' });
    this.#add('blobs of a plain store', 330, (run) => flipBlobs({ image, known, readEvery: READ_EVERY, ...run }));
    await this.#addFiles('plain', folder, { keys: 'none', known });
  }

  async #addSpread(folder: string): Promise<void> {
    const [home, ...disks] = ['home', 'disk1', 'disk2', 'disk3'].map((name) => path.join(folder, name));
    await makePlainSample(home as string, disks);
    const image = await this.#image(home as string, { keys: 'none', disks });
    const sample = { image, known: plainEntries(true), readEvery: SPREAD_READ_EVERY };
    this.#add('shards of a spread store', 150, (run) => flipShards({ ...sample, ...run }));
    this.#add('configs and marks of a spread store', 5, (run) => flipControls({ ...sample, ...run }));
  }

  /** The file of the metadata, and the log as a process leaves it that ends without a word. */
  async #addFiles(
    kind: string,
    folder: string,
    { keys, known }: Pick<Required<ImageOptions>, 'keys'> & { readonly known: readonly KnownEntry[] },
  ): Promise<void> {
    const [closed, running, crashed] = ['closed', 'running', 'crashed'].map((name) => `${folder}-${name}`) as Three;
    const quick = known.filter(({ key }) => key !== SLOW);
    const sample = { known: quick, listed: known, readEvery: FILE_CHECK_EVERY };
    // They are changed where they lie, which the store whose blobs are flipped must not see.
    await cp(folder, closed, { recursive: true });
    const image = await this.#image(closed, { keys });
    this.#add(`metadata of a ${kind} store`, 5, (run) => flipFile(metadataPath(closed), { image, ...sample, ...run }));
    await cp(folder, running, { recursive: true });
    const store = await openStore(running, { reserveBytes: 0, ...(keys !== 'none' && { keys }) });
    await store.put('later', known.find(({ key }) => key === 'later')?.bytes ?? '');
    await crashCopy(running, crashed);
    await store.close();
    const crash = await this.#image(crashed, { keys });
    this.#add(`log of the metadata of a ${kind} store`, 2.5, (run) =>
      flipFile(`${metadataPath(crashed)}-wal`, { image: crash, ...sample, ...run }),
    );
  }

  async #image(folder: string, options: ImageOptions): Promise<StoreImage> {
    const image = await StoreImage.of(folder, options);
    this.#images.push(image);
    return image;
  }

  #add(name: string, perMille: number, flip: (run: Pick<FlipRun, 'count' | 'seed'>) => Promise<FlipFigures>): void {
    this.#parts.push({ name, perMille, flip });
  }
}
