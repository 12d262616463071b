/** A fenced block of a Markdown document. */
export interface CodeBlock {
  readonly document: string;
  /** Line of its first line of code, 1-based. */
  readonly line: number;
  readonly language: string;
  /** Words after the language: `no-run`, `run`, `same-folder`. */
  readonly marks: readonly string[];
  readonly code: string;
}

const FENCE = /^( *)(`{3,})\s*([^\s`]*)\s*([^`]*)$/;

/** The fenced blocks of a document in order. A block inside a list loses the indentation of its fence. */
export function codeBlocks(document: string, markdown: string): readonly CodeBlock[] {
  const blocks: CodeBlock[] = [];
  const lines = markdown.split('\n');
  for (let index = 0; index < lines.length; index += 1) {
    const opening = FENCE.exec(lines[index] ?? '');
    if (opening === null) continue;
    const [, indent = '', fence = '', language = '', words = ''] = opening;
    const end = lines.findIndex((line, at) => at > index && line.trim() === fence);
    if (end < 0) throw new Error(`${document}:${index + 1}: this fence is never closed`);
    const body = lines
      .slice(index + 1, end)
      .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
    const marks = words.split(/\s+/).filter((word) => word !== '');
    blocks.push({ document, line: index + 2, language, marks, code: `${body.join('\n')}\n` });
    index = end;
  }
  return blocks;
}

/** Programs run unless they are marked `no-run`; shell blocks only when they are marked `run`. */
export function isRunnable(block: CodeBlock): boolean {
  if (['ts', 'js', 'mjs'].includes(block.language)) return !block.marks.includes('no-run');
  return ['sh', 'bash'].includes(block.language) && block.marks.includes('run');
}
