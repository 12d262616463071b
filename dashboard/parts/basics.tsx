import type { ComponentChildren } from 'preact';
import { say } from '../api/say.ts';
import { Icon, type IconName } from './icon.tsx';

export type Tone = 'good' | 'warn' | 'bad' | 'plain';

const NOTE_ICONS = { good: 'check', warn: 'warning', bad: 'danger', plain: 'info' } as const;

export function Note({ tone = 'plain', children }: { readonly tone?: Tone; readonly children: ComponentChildren }) {
  return (
    <div class={`note ${tone}`}>
      <Icon name={NOTE_ICONS[tone]} />
      <div>{children}</div>
    </div>
  );
}

/** What went wrong, and a way to try again. */
export function Failure({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  return (
    <div role="alert">
      <Note tone="bad">
        {say(error)}{' '}
        {onRetry && (
          <button type="button" class="link" onClick={onRetry}>
            Try again
          </button>
        )}
      </Note>
    </div>
  );
}

export function Badge({ tone = 'plain', children }: { readonly tone?: Tone; readonly children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

interface EmptyProps {
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ComponentChildren;
}

export function Empty({ icon, title, children }: EmptyProps) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Stands where something will be. */
export function Skeleton({ rows = 3 }: { readonly rows?: number }) {
  return (
    <div class="skeletons" aria-busy="true">
      <span class="visually-hidden">Loading</span>
      {Array.from({ length: rows }, (_, row) => (
        <div class="skeleton" key={row} />
      ))}
    </div>
  );
}

interface MeterProps {
  /** 0 to 1. */
  readonly share: number;
  readonly label: string;
  readonly tone?: Tone;
}

/** How much of something: done, or used. */
export function Meter({ share, label, tone = 'plain' }: MeterProps) {
  return <progress class={tone} aria-label={label} max={1} value={Math.min(1, Math.max(0, share))} />;
}

interface PageHeadProps {
  readonly title: string;
  readonly about?: ComponentChildren;
  readonly children?: ComponentChildren;
}

/** The top of a page, with what can be done there. */
export function PageHead({ title, about, children }: PageHeadProps) {
  return (
    <div class="page-head">
      <div>
        <h1>{title}</h1>
        {about && <p>{about}</p>}
      </div>
      {children && <div class="actions">{children}</div>}
    </div>
  );
}

interface TickCellProps {
  /** What is ticked, for those who do not see it. */
  readonly name: string;
  readonly isTicked: boolean;
  readonly onTick: (isTicked: boolean) => void;
  /** Without it the cell is empty: the row is no choice. */
  readonly isChoice?: boolean;
}

/** The cell of a row that can be selected. */
export function TickCell({ name, isTicked, onTick, isChoice = true }: TickCellProps) {
  return (
    <td class="tick">
      {isChoice && (
        <input
          type="checkbox"
          aria-label={`Select ${name}`}
          checked={isTicked}
          onChange={(event) => onTick(event.currentTarget.checked)}
        />
      )}
    </td>
  );
}
