/** A real browser, where the machine has one. */
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { type Browser, chromium } from 'playwright-core';

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
    'what needs a browser is SKIPPED: no Chromium in PATH. Install one (apt-get install chromium), or name one: HOLDFAST_BROWSER=/path\n',
  );

export async function launch(): Promise<Browser> {
  return await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] });
}
