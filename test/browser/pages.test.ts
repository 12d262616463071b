import { describe, expect, it } from 'vitest';
import { expectAccessible, expectNoSideways, openPage } from './browser.ts';
import { noBrowser } from './launch.ts';
import { createWorld, useWorld } from './world.ts';

const used = useWorld();

const PLACES = [
  'overview',
  'files',
  'files?prefix=docs/',
  'files?prefix=docs/&open=docs/report.txt',
  'snapshots',
  'storage',
  'upkeep',
  'access',
  'activity',
  'nowhere',
];

async function walk(options: { isDark?: boolean; isPhone?: boolean }): Promise<void> {
  await using watched = await openPage(used.browser, options);
  const { page, faults } = watched;
  for (const place of PLACES) {
    await page.goto(`${used.world.url}/dashboard#/${place}`);
    await page.locator('main h1, main h2, dialog h3').first().waitFor();
    await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
    await expectNoSideways(page);
    await expectAccessible(page);
  }
  expect(faults).toEqual([]);
}

describe.skipIf(noBrowser)('every page', () => {
  it.each([
    ['in light', {}],
    ['in the dark', { isDark: true }],
    ['on a phone', { isPhone: true }],
  ])('is accessible and free of faults %s', async (_, options) => {
    await walk(options);
  });

  it('is reached from the first one, which browsers are led to', async () => {
    await using watched = await openPage(used.browser);
    const { page } = watched;
    await page.goto(used.world.url);
    await expect.poll(() => page.url()).toContain('/dashboard');
    await page.getByRole('link', { name: 'Files' }).click();
    await page.getByRole('heading', { name: 'Files', level: 1 }).waitFor();
    await expect.poll(() => page.evaluate('document.activeElement.tagName')).toBe('MAIN');
  });

  it('is used without a mouse', async () => {
    await using watched = await openPage(used.browser);
    const { page } = watched;
    await page.goto(`${used.world.url}/dashboard#/files?prefix=docs/`);
    const file = page.getByRole('button', { name: 'report.txt' });
    await file.waitFor();
    const focused = async (): Promise<string> => String(await page.evaluate('document.activeElement.textContent'));
    for (let presses = 0; presses < 30 && (await focused()) !== 'report.txt'; presses += 1)
      await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByText('second draft').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await expect.poll(async () => (await focused()) === 'report.txt').toBe(true);
  });
});

describe.skipIf(noBrowser)('a token', () => {
  it('is asked for, kept until the tab is closed, and says what is shown', async () => {
    await using asking = await createWorld({ mustAsk: true });
    await using watched = await openPage(used.browser);
    const { page } = watched;
    await page.goto(`${asking.url}/dashboard`);
    await page.getByLabel('Token').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('does not know this token').waitFor();
    await expectAccessible(page);
    await page.getByLabel('Token').fill('token-of-reader');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('cannot tell here how safe').waitFor();
    await page.reload();
    await page.getByText('Signed in as reader').waitFor();
    await page.goto(`${asking.url}/dashboard#/files?prefix=docs/&open=docs/report.txt`);
    const dialog = page.getByRole('dialog');
    await dialog.getByText('second draft').waitFor();
    expect(await dialog.getByRole('button', { name: 'Delete' }).count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Upload files' }).count()).toBe(0);
    const [kept] = (await page.evaluate('[Object.keys(localStorage).join()]')) as string[];
    expect(kept).toBe('');
  });
});
