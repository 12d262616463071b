import { say } from '../api/say.ts';
import { createValue, useValue } from '../lib/value.ts';
import { Icon } from './icon.tsx';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly isBad: boolean;
  readonly action?: { readonly label: string; readonly run: () => void };
}

const SHOWN_MS = 7000;
/** Long enough to notice a mistake, and to reach the button. */
const SHOWN_WITH_ACTION_MS = 20_000;

const toasts = createValue<readonly Toast[]>([]);
let made = 0;

function dismiss(id: number): void {
  toasts.set(toasts.get().filter((toast) => toast.id !== id));
}

function show(toast: Omit<Toast, 'id'>): void {
  made += 1;
  const id = made;
  toasts.set([...toasts.get().slice(-3), { ...toast, id }]);
  setTimeout(() => dismiss(id), toast.action ? SHOWN_WITH_ACTION_MS : SHOWN_MS);
}

/** Tells, beside whatever is shown, that something was done. */
export function tell(text: string, action?: Toast['action']): void {
  show({ text, isBad: false, ...(action && { action }) });
}

/** Tells that something went wrong. */
export function complain(error: unknown): void {
  show({ text: say(error), isBad: true });
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {useValue(toasts).map(({ id, text, isBad, action }) => (
        <div key={id} class={`toast ${isBad ? 'bad' : ''}`}>
          <span>{text}</span>
          {action && (
            <button
              type="button"
              class="button"
              onClick={() => {
                dismiss(id);
                action.run();
              }}
            >
              {action.label}
            </button>
          )}
          <button type="button" class="button quiet icon-only" aria-label="Dismiss" onClick={() => dismiss(id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
