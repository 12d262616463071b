import type { ComponentChild } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { listen } from './api/live.ts';
import { type May, useMay } from './api/may.ts';
import { access, enter, tokenWanted } from './api/session.ts';
import { linkTo, usePlace } from './lib/place.ts';
import { useValue } from './lib/value.ts';
import { AccessPage } from './pages/access-page.tsx';
import { ActivityPage } from './pages/activity-page.tsx';
import { FilesPage } from './pages/files/files-page.tsx';
import { OverviewPage } from './pages/overview-page.tsx';
import { SignIn } from './pages/sign-in.tsx';
import { SnapshotsPage } from './pages/snapshots/snapshots-page.tsx';
import { StoragePage } from './pages/storage-page.tsx';
import { UpkeepPage } from './pages/upkeep/upkeep-page.tsx';
import { Empty, Failure, Skeleton } from './parts/basics.tsx';
import { Icon, type IconName, Logo } from './parts/icon.tsx';
import { NamespaceChoice, Who } from './parts/side.tsx';
import { ThemeButton } from './parts/theme.tsx';
import { Toasts } from './parts/toasts.tsx';

interface Page {
  readonly id: string;
  readonly title: string;
  readonly icon: IconName;
  /** Whether a token may use it at all. */
  readonly isFor: (may: May) => boolean;
  readonly show: () => ComponentChild;
}

const PAGES: readonly Page[] = [
  { id: 'overview', title: 'Overview', icon: 'overview', isFor: () => true, show: () => <OverviewPage /> },
  { id: 'files', title: 'Files', icon: 'files', isFor: ({ read, put }) => read || put, show: () => <FilesPage /> },
  { id: 'snapshots', title: 'Snapshots', icon: 'snapshots', isFor: ({ read }) => read, show: () => <SnapshotsPage /> },
  { id: 'storage', title: 'Storage', icon: 'storage', isFor: ({ admin }) => admin, show: () => <StoragePage /> },
  { id: 'upkeep', title: 'Upkeep', icon: 'upkeep', isFor: ({ admin }) => admin, show: () => <UpkeepPage /> },
  { id: 'access', title: 'Access', icon: 'access', isFor: ({ admin }) => admin, show: () => <AccessPage /> },
  { id: 'activity', title: 'Activity', icon: 'activity', isFor: ({ admin }) => admin, show: () => <ActivityPage /> },
];

function Navigation({ current }: { readonly current: string }) {
  const may = useMay();
  return (
    <nav class="nav" aria-label="Pages">
      {PAGES.filter(({ isFor }) => isFor(may)).map(({ id, title, icon }) => (
        <a key={id} href={linkTo(id)} aria-current={id === current ? 'page' : undefined}>
          <Icon name={icon} />
          {title}
        </a>
      ))}
    </nav>
  );
}

/** The page that the address names; the focus goes there with it. */
function Content({ id }: { readonly id: string }) {
  const may = useMay();
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  const page = PAGES.find((one) => one.id === id && one.isFor(may));
  useEffect(() => {
    document.title = `${page?.title ?? 'Not found'} – Holdfast`;
    if (!isFirst.current) main.current?.focus();
    isFirst.current = false;
  }, [id]);
  return (
    <main class="main" id="main" ref={main} tabIndex={-1}>
      {page ? (
        page.show()
      ) : (
        <Empty icon="search" title="There is nothing here">
          <a href={linkTo('overview')}>To the overview</a>
        </Empty>
      )}
    </main>
  );
}

/** Asks who we are, first of all. */
function Entrance() {
  const [error, setError] = useState<unknown>();
  const begin = (): void => {
    setError(undefined);
    enter().catch(setError);
  };
  useEffect(begin, []);
  return <main class="main">{error ? <Failure error={error} onRetry={begin} /> : <Skeleton rows={5} />}</main>;
}

export function App() {
  const { page } = usePlace();
  const isKnown = useValue(access) !== undefined;
  const needsToken = useValue(tokenWanted) !== 'no';
  const { admin } = useMay();
  useEffect(() => (admin ? listen() : undefined), [admin]);
  if (needsToken) return <SignIn />;
  return (
    <div class="shell">
      <button type="button" class="button primary skip" onClick={() => document.getElementById('main')?.focus()}>
        To the content
      </button>
      <header class="side">
        <a class="brand" href={linkTo('overview')}>
          <Logo />
          Holdfast
        </a>
        <Navigation current={page} />
        <div class="side-foot">
          <NamespaceChoice />
          <Who />
          <ThemeButton />
        </div>
      </header>
      {isKnown ? <Content id={page} /> : <Entrance />}
      <Toasts />
    </div>
  );
}
