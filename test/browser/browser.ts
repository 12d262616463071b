/** The dashboard is walked as people do. */
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'vitest';

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
