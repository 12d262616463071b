import { useEffect, useState } from 'preact/hooks';
import { readContent } from '../../api/store.ts';
import { formatBytes } from '../../lib/format.ts';
import { nameOf, previewOf } from '../../lib/key.ts';
import { useLoad } from '../../lib/load.ts';
import { Failure, Note, Skeleton } from '../../parts/basics.tsx';

const TEXT_BYTES_MAX = 256 * 1024;
const BLOB_BYTES_MAX = 64 * 1024 * 1024;

interface PreviewProps {
  readonly scope: string;
  readonly name: string;
  readonly contentType?: string | undefined;
  readonly size: number;
  /** Reads the content, up to so many bytes. */
  readonly read: (bytes: number | undefined, signal: AbortSignal) => Promise<Uint8Array<ArrayBuffer>>;
}

/** Text as text: whatever stands in it does nothing. */
function TextPreview({ bytes, size }: { readonly bytes: Uint8Array; readonly size: number }) {
  if (bytes.includes(0)) return <Note>This is no text, so there is nothing to show. Download it to open it.</Note>;
  const text = new TextDecoder().decode(bytes);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section class="preview-text" tabIndex={0} aria-label="Content">
        <pre>{text}</pre>
      </section>
      {size > bytes.length && (
        <p class="muted small">{`The first ${formatBytes(bytes.length)} of ${formatBytes(size)}.`}</p>
      )}
    </>
  );
}

interface BlobProps {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
  readonly name: string;
}

/** From memory, as a type that is a picture or PDF and nothing else. */
function BlobPreview({ bytes, type, name }: BlobProps) {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([bytes], { type }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [bytes, type]);
  if (url === undefined) return null;
  if (type === 'application/pdf') return <iframe class="preview-pdf" title={`${name}, as pages`} src={url} />;
  return <img class="preview-picture" src={url} alt={`Preview of ${name}`} />;
}

/** What is in a file, where that can be shown and does no harm. */
export function Preview({ scope, name, contentType, size, read }: PreviewProps) {
  const { kind, type } = previewOf(name, contentType);
  const isText = kind === 'text';
  const isShown = isText || (kind !== 'none' && size <= BLOB_BYTES_MAX);
  const { value, error, reload } = useLoad(
    async (signal) => (isShown && size > 0 ? await read(isText ? TEXT_BYTES_MAX : undefined, signal) : undefined),
    [scope, name, size, read],
  );
  if (size === 0) return <Note>This file is empty.</Note>;
  if (kind === 'none') return <Note>There is no preview of files of this kind. Download it to open it.</Note>;
  if (!isShown) return <Note>This is too large to show here. Download it to open it.</Note>;
  if (error) return <Failure error={error} onRetry={reload} />;
  if (!value) return <Skeleton rows={4} />;
  return isText ? (
    <TextPreview bytes={value} size={size} />
  ) : (
    <BlobPreview bytes={value} type={type} name={nameOf(name)} />
  );
}

/** Reads an entry, or a version of it, for a preview. */
export function entryReader(scope: string, key: string, version: string | undefined): PreviewProps['read'] {
  return (bytes, signal) => readContent(key, { scope, version, signal, ...(bytes !== undefined && { bytes }) });
}
