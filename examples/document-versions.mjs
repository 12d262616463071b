/**
 * A store of documents that several people change, over HTTP: nobody overwrites what they have not seen.
 *
 *     node document-versions.mjs http://127.0.0.1:7070
 *
 * The server needs nothing but `holdfast serve`, and a policy that keeps versions: `holdfast versions policy --last 10`.
 */
import { isDeepStrictEqual } from 'node:util';
import { HoldfastClient } from 'holdfast/client';

const PREFIX = 'documents/';
/** Somebody who is overtaken this often gives up. */
const ATTEMPTS = 5;

export class Documents {
  #client;

  constructor(url, options) {
    this.#client = new HoldfastClient(url, options);
  }

  /** The document as it is, and which version that is. */
  async open(name) {
    const { version } = await this.#client.stat(PREFIX + name);
    const bytes = await this.#client.get(PREFIX + name, { ifMatch: version });
    return { version, document: JSON.parse(new TextDecoder().decode(bytes)) };
  }

  /** Fails with PRECONDITION_FAILED when the document is there already. */
  async create(name, document) {
    return await this.#save(name, document, { ifAbsent: true });
  }

  /**
   * Applies a change to the newest version. When somebody else was faster it is applied to theirs: both changes stay.
   * @param change takes a document and gives the changed one
   */
  async edit(name, change) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { version, document } = await this.open(name);
        const changed = change(document);
        if (isDeepStrictEqual(changed, document)) return version;
        return await this.#save(name, changed, { ifMatch: version });
      } catch (error) {
        if (error.code !== 'PRECONDITION_FAILED' || attempt === ATTEMPTS) throw error;
      }
    }
  }

  /** Newest first. */
  async history(name) {
    return await this.#client.versions(PREFIX + name);
  }

  /** Makes an earlier version the newest one; those between stay in the history. */
  async restore(name, version) {
    await this.#client.restore(PREFIX + name, version);
  }

  async #save(name, document, condition) {
    const text = JSON.stringify(document, undefined, 2);
    const saved = await this.#client.put(PREFIX + name, text, { contentType: 'application/json', ...condition });
    return saved.version;
  }
}

const [, program, url] = process.argv;
if (import.meta.filename === program) {
  const documents = new Documents(url ?? 'http://127.0.0.1:7070', { token: process.env.HOLDFAST_TOKEN });
  const name = `minutes-${Date.now()}.json`;
  await documents.create(name, { title: 'Minutes', points: [] });
  // Two people at once: both points are there in the end.
  const add = (point) => documents.edit(name, (minutes) => ({ ...minutes, points: [...minutes.points, point] }));
  await Promise.all([add('budget'), add('move to the new office')]);
  console.log((await documents.open(name)).document);
  for (const { version, from, size } of await documents.history(name)) {
    console.log(version.slice(0, 12), from, `${size} bytes`);
  }
}
