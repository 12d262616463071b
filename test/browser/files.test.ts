import { describe, expect, it } from 'vitest';
import { noise } from '../support/contents.ts';
import { expectAccessible, openPage } from './browser.ts';
import { noBrowser } from './launch.ts';
import { useWorld } from './world.ts';

const used = useWorld();

const at = (place: string): string => `${used.world.url}/dashboard#/${place}`;
const drop = (name: string, text: string) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });

describe.skipIf(noBrowser)('files', () => {
  it('are uploaded, looked at, replaced, restored, renamed, deleted and brought back', async () => {
    await using watched = await openPage(used.browser);
    const { page, faults } = watched;
    await page.goto(at('files?prefix=docs/'));
    const input = page.locator('input[type=file]');
    await input.setInputFiles(drop('note.txt', 'one'));
    await page.getByRole('button', { name: 'note.txt', exact: true }).waitFor();
    await input.setInputFiles(drop('note.txt', 'two'));
    await page.getByText('There is a file of this name').waitFor();
    await page.getByRole('button', { name: 'Replace' }).click();
    await expect.poll(async () => Buffer.from(await used.world.store.get('docs/note.txt')).toString()).toBe('two');
    await page.getByRole('button', { name: 'note.txt', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('two').waitFor();
    await dialog.getByRole('button', { name: /^Restore the version/ }).click();
    await dialog.getByText('one', { exact: true }).waitFor();
    await dialog.getByRole('button', { name: 'Rename' }).click();
    await dialog.getByLabel('New name').fill('docs/renamed.txt');
    await dialog.getByRole('button', { name: 'Rename' }).last().click();
    await dialog.getByRole('heading', { name: 'renamed.txt' }).waitFor();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await expect.poll(() => used.world.store.has('docs/renamed.txt')).toBe(false);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('button', { name: 'renamed.txt', exact: true }).waitFor();
    expect(Buffer.from(await used.world.store.get('docs/renamed.txt')).toString()).toBe('one');
    expect(faults).toEqual([]);
  });

  it('are shown for what they are, and never run', async () => {
    await using watched = await openPage(used.browser);
    const { page, faults } = watched;
    const dialog = page.getByRole('dialog');
    await page.goto(at('files?prefix=pictures/&open=pictures/square.png'));
    await expect
      .poll(() => dialog.locator('img').evaluate((image) => (image as { naturalWidth?: number }).naturalWidth))
      .toBe(10);
    await page.goto(at('files?prefix=pictures/&open=pictures/page.pdf'));
    await dialog.locator('iframe[src^="blob:"]').waitFor();
    await page.goto(at('files?prefix=docs/&open=docs/evil.html'));
    await dialog.getByText('<script>document.title').waitFor();
    expect(await page.title()).not.toBe('taken');
    expect(await page.frames().length).toBe(1);
    await expectAccessible(page);
    expect(faults).toEqual([]);
  });

  it('are found by a part of their names, wherever they are', async () => {
    await using watched = await openPage(used.browser);
    const { page } = watched;
    await page.goto(at('files'));
    await page.getByRole('searchbox').fill('SQUARE');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'pictures/square.png' }).waitFor();
    await page.getByRole('searchbox').fill('nothing like this');
    await page.keyboard.press('Enter');
    await page.getByText('Nothing found').waitFor();
  });

  it('that are large go on where the connection was cut', async () => {
    await using watched = await openPage(used.browser);
    const { page } = watched;
    let cuts = 0;
    await page.route('**/uploads/*', (route) => {
      if (route.request().method() !== 'PATCH' || cuts > 0) return route.continue();
      cuts += 1;
      return route.abort('connectionreset');
    });
    await page.goto(at('files?prefix=films/'));
    const buffer = noise(5_000_000, 9);
    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'film.mp4', mimeType: 'video/mp4', buffer: Buffer.from(buffer) });
    await page.getByRole('button', { name: 'film.mp4', exact: true }).waitFor();
    expect(cuts).toBe(1);
    expect(Buffer.from(await used.world.store.get('films/film.mp4')).equals(buffer)).toBe(true);
    expect((await used.world.store.stat('films/film.mp4')).contentType).toBe('video/mp4');
  });
});
