import { importEndings, layers, modules } from './import-rules.ts';
import { runtimeOnly } from './runtime-rules.ts';
import { fileLength, functionLength } from './size-rules.ts';
import type { Rule } from './source.ts';
import { noDefaultExport, noFocusedTest, noRuntimeTypes, noStarExport } from './syntax-rules.ts';
import { fileName, neverWords, noUnfinished } from './word-rules.ts';

/** Every rule over a single file, by the sentence it is known under. */
export const RULES: Readonly<Record<string, Rule>> = {
  'files have at most 500 lines': fileLength,
  'functions have at most 70 lines': functionLength,
  'imports follow the layers': layers,
  'modules are used in their home only': modules,
  'relative imports carry their ending': importEndings,
  'only runtime touches clocks, randomness and timers': runtimeOnly,
  'nothing is exported as default': noDefaultExport,
  'nothing is exported with a star': noStarExport,
  'syntax is erasable': noRuntimeTypes,
  'no test is focused': noFocusedTest,
  'file names are kebab-case': fileName,
  'nothing is left unfinished': noUnfinished,
  'names use the words of the glossary': neverWords,
};
