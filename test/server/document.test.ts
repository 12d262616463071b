import { describe, expect, it } from 'vitest';
import { serveStore } from '../support/served-store.ts';

interface Schema {
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, unknown>>;
}

interface OpenApi {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

describe('the OpenAPI document', () => {
  it('asks of answers what they have, whether or not what may be absent is there', async () => {
    await using served = await serveStore();
    const { components } = await served.json<OpenApi>('/openapi.json');
    const conform = (name: string, value: object): void => {
      const { required = [], properties = {} } = components.schemas[name] ?? {};
      expect(required.length).toBeGreaterThan(1);
      expect(Object.keys(value)).toEqual(expect.arrayContaining([...required]));
      expect(Object.keys(properties)).toEqual(expect.arrayContaining(Object.keys(value)));
    };
    await served.store.versions.setPolicy({ last: 3 });
    await served.put('plain', 'one');
    conform('Stored', (await (await served.put('plain', 'two')).json()) as object);
    const typed = await served.put('typed?digests=true', 'three', { 'content-type': 'text/plain' });
    conform('Stored', (await typed.json()) as object);
    await served.store.snapshots.create({ prefix: '' }, { ref: 'all' });
    const restored = await served.post('/snapshots/restore-file', { address: 'all:plain', key: 'restored' });
    conform('Stored', (await restored.json()) as object);
    // Not by way of the server, which gives everything a type.
    await served.store.put('bare', 'four');
    for (const key of ['plain', 'typed', 'bare']) conform('Entry', await served.json<object>(`/stat/${key}`));
    const { versions } = await served.json<{ versions: readonly object[] }>('/versions/plain');
    expect(versions).toHaveLength(2);
    for (const version of versions) conform('Version', version);
  });
});
