import { useEffect, useState } from 'preact/hooks';
import { foldersTo, nameOf } from '../../lib/key.ts';
import { goTo, linkTo } from '../../lib/place.ts';
import { Icon } from '../../parts/icon.tsx';

interface ToolbarProps {
  readonly prefix: string;
  readonly search: string;
}

/** The way to the folder that is shown. */
export function Path({ prefix, search }: ToolbarProps) {
  const folders = foldersTo(prefix);
  return (
    <nav aria-label="Folder" class="path">
      <ol>
        <li>
          <a href={linkTo('files')} aria-current={folders.length === 0 && search === '' ? 'location' : undefined}>
            All files
          </a>
        </li>
        {folders.map((folder) => (
          <li key={folder}>
            <a
              href={linkTo('files', { prefix: folder })}
              aria-current={folder === prefix && search === '' ? 'location' : undefined}
            >
              {nameOf(folder).replace(/\/$/, '') || '/'}
            </a>
          </li>
        ))}
        {search !== '' && <li>{`“${search}”`}</li>}
      </ol>
    </nav>
  );
}

/** Finds files by any part of their names, in the folder that is shown and below it. */
export function SearchForm({ prefix, search }: ToolbarProps) {
  const [text, setText] = useState(search);
  useEffect(() => setText(search), [search]);
  return (
    <search>
      <form
        class="search"
        onSubmit={(event) => {
          event.preventDefault();
          goTo('files', { prefix, search: text.trim() });
        }}
      >
        <input
          type="search"
          placeholder={prefix === '' ? 'Search all files' : 'Search in this folder'}
          aria-label="Search for files by name"
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value);
            if (event.currentTarget.value === '' && search !== '') goTo('files', { prefix });
          }}
        />
        <button type="submit" class="button icon-only" aria-label="Search">
          <Icon name="search" />
        </button>
      </form>
    </search>
  );
}
