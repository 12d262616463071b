/** A real browser, where the machine has one: the dashboard is walked as people do. */
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The one that `HOLDFAST_BROWSER` names, else the first Chromium in `PATH`. */
function findBrowser(): string | undefined {
  const named = process.env.HOLDFAST_BROWSER;
  if (named) return named;
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name))).find(isProgram);
}

const executablePath = findBrowser();

/** Whether there is no browser; says so, and how to get one. */
export const noBrowser = executablePath === undefined;
if (noBrowser)
  process.stderr.write(
    'tests of the dashboard are SKIPPED: no Chromium in PATH. Install one (apt-get install chromium), or name one: HOLDFAST_BROWSER=/path\n',
  );

export async function launch(): Promise<Browser> {
  return await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] });
}

/** A page that notes whatever goes wrong on it. */
export interface Watched extends AsyncDisposable {
  readonly page: Page;
  /** Errors of scripts, of the console and of the policy. */
  readonly faults: readonly string[];
}

const PHONE = { width: 375, height: 740 };

/** What a test may want of a page. */
export interface PageOptions {
  readonly isDark?: boolean;
  readonly isPhone?: boolean;
}

export async function openPage(browser: Browser, { isDark, isPhone }: PageOptions = {}): Promise<Watched> {
  const options: BrowserContextOptions = {
    colorScheme: isDark ? 'dark' : 'light',
    reducedMotion: 'reduce',
    ...(isPhone && { viewport: PHONE }),
  };
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(8000);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    // A browser logs every answer that is a failure: those the page itself must tell.
    const isAnswer = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isAnswer) faults.push(message.text());
  });
  return { page, faults, [Symbol.asyncDispose]: () => context.close() };
}

/** That axe finds nothing serious on what is shown. */
export async function expectAccessible(page: Page): Promise<void> {
  // The page lets no other script run: this one comes in by the debugger, which no page has.
  const { violations } = (await page.evaluate(`${axe.source}; axe.run(document, { resultTypes: ['violations'] })`)) as {
    violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
  };
  const serious = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`);
  expect(serious).toEqual([]);
}

/** That nothing is wider than the window. */
export async function expectNoSideways(page: Page): Promise<void> {
  const [content, width] = (await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as number[];
  expect(content).toBeLessThanOrEqual(width ?? 0);
}
