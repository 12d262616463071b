import type { FolderPreview, FolderPreviewOptions } from '../../../index.ts';
import { loadLibrary } from '../../library.ts';
import type { Session } from '../../session.ts';
import { formatBytes } from '../../text/format-bytes.ts';
import { escapeControls, formatCount } from '../../text/format-text.ts';
import { describeCounts, SKIP_REASONS } from './describe.ts';
import { reportFailure } from './report-failures.ts';

function lineOf(session: Session, item: FolderPreview): string {
  const path = `${session.shown(item.path)}${item.kind === 'folder' ? '/' : ''}`;
  return item.kind === 'file' ? `${path}  ${formatBytes(item.size)}` : path;
}

/** Says what a snapshot of a folder would hold; reads no content and stores nothing. */
export async function preview(session: Session, folder: string, options: FolderPreviewOptions): Promise<void> {
  const { previewFolder } = await loadLibrary();
  const counts = { files: 0, folders: 0, links: 0, skipped: 0, failed: 0, bytes: 0 };
  const { json, quiet } = session.options;
  for await (const item of previewFolder(folder, options)) {
    if (item.kind === 'failed') {
      counts.failed += 1;
      reportFailure(session, item.failure);
    } else if (item.kind === 'skipped') {
      counts.skipped += 1;
      const { path, reason } = item;
      const text = `holdfast: left out ${escapeControls(path)}: ${SKIP_REASONS[reason] ?? reason}`;
      if (!quiet) session.terminal.note(json ? JSON.stringify({ skipped: { path, reason } }) : text);
    } else {
      counts[`${item.kind}s`] += 1;
      if (item.kind === 'file') counts.bytes += item.size;
      if (item.path !== '') await session.confirm(item, () => lineOf(session, item));
    }
  }
  if (json) session.terminal.note(JSON.stringify({ summary: { dryRun: true, ...counts } }));
  const others = `${formatCount(counts.skipped)} left out, ${formatCount(counts.failed)} failed`;
  await session.conclude(`would store ${describeCounts(counts)}: ${formatBytes(counts.bytes)}; ${others}`);
}
