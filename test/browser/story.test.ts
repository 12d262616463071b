import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { expectAccessible, openPage } from './browser.ts';
import { noBrowser } from './launch.ts';
import { useWorld } from './world.ts';

const used = useWorld();

const text = async (key: string): Promise<string> => Buffer.from(await used.world.store.get(key)).toString();

async function startJob(page: Page, title: string): Promise<void> {
  await page.getByRole('button', { name: `Start: ${title}`, exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Start', exact: true }).click();
}

describe.skipIf(noBrowser)('a store', () => {
  it('is what it was: a snapshot is taken, compared with another one, and files come back', async () => {
    await using watched = await openPage(used.browser);
    const { page, faults } = watched;
    await used.world.store.put('docs/report.txt', 'spoiled');
    await used.world.store.delete('pictures/square.png');
    await page.goto(`${used.world.url}/dashboard#/snapshots`);
    await page.getByRole('button', { name: 'Take a snapshot' }).click();
    await page.getByLabel('Note').fill('after the change');
    await page.getByRole('button', { name: 'Take it' }).click();
    await page.getByRole('link', { name: 'after the change' }).waitFor();
    for (const box of await page.getByRole('checkbox').all()) await box.check();
    await page.getByRole('button', { name: 'Compare the two' }).click();
    await page.getByText('New: 0, Gone: 1, Changed: 1').waitFor();
    await page.getByLabel('Select docs/report.txt').check();
    await page.getByRole('button', { name: 'Restore 1 file' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Restore' }).click();
    await page.getByText('1 file is back.').waitFor();
    expect(await text('docs/report.txt')).toBe('second draft');
    const { contentType, attributes } = await used.world.store.stat('docs/report.txt');
    expect({ contentType, attributes }).toEqual({ contentType: 'text/plain', attributes: { author: 'Ann' } });
    await page.goto(`${used.world.url}/dashboard#/snapshots`);
    await page.getByRole('link', { name: 'before the change' }).click();
    await page.getByRole('button', { name: 'docs/report.txt' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('second draft').waitFor();
    await dialog.getByRole('button', { name: 'Why is this kept?' }).click();
    await dialog.getByText('1 snapshot holds this content.').waitFor();
    await expectAccessible(page);
    expect(faults).toEqual([]);
  });

  it('is hurt, says so, and is made whole by a click', async () => {
    await using watched = await openPage(used.browser);
    const { page, faults } = watched;
    const level = page.locator('[data-level]');
    await page.goto(`${used.world.url}/dashboard`);
    await page.getByRole('heading', { name: 'Your data is protected' }).waitFor();
    await used.world.lose('disk-2');
    await page.goto(`${used.world.url}/dashboard#/upkeep`);
    await startJob(page, 'Verify everything');
    await page.getByText('Found damage').waitFor();
    await page.goto(`${used.world.url}/dashboard#/overview`);
    await expect.poll(() => level.getAttribute('data-level')).toBe('degraded');
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Repair now' }).click();
    await expect.poll(() => level.getAttribute('data-level'), { timeout: 10_000 }).toBe('protected');
    await page.goto(`${used.world.url}/dashboard#/upkeep`);
    await page
      .getByText(/pieces? made anew/)
      .first()
      .waitFor();
    expect((await used.world.store.maintenance.verify()).outcome).toBe('ok');
    expect(faults).toEqual([]);
  });

  it('of a demonstration loses a disk, and heals on a new one', async () => {
    await using watched = await openPage(used.browser);
    const { page, faults } = watched;
    const level = page.locator('[data-level]');
    await page.goto(`${used.world.url}/dashboard`);
    await page.getByRole('button', { name: 'Break disk-4' }).click();
    await expect.poll(() => level.getAttribute('data-level'), { timeout: 10_000 }).toBe('degraded');
    await page.getByRole('button', { name: 'Replace disk-4' }).click();
    await expect.poll(() => level.getAttribute('data-level'), { timeout: 10_000 }).toBe('protected');
    expect(faults).toEqual([]);
  });
});
