import { createValue, useValue } from '../lib/value.ts';
import { Icon } from './icon.tsx';

const CHOICE = 'holdfast.theme';
const dark = matchMedia('(prefers-color-scheme: dark)');

type Theme = 'light' | 'dark';

/** The choice of this browser, else as the system has it. */
function wanted(): Theme {
  const chosen = localStorage.getItem(CHOICE);
  if (chosen === 'light' || chosen === 'dark') return chosen;
  return dark.matches ? 'dark' : 'light';
}

export const theme = createValue<Theme>(wanted());

function apply(): void {
  document.documentElement.dataset.theme = theme.get();
}

theme.watch(apply);
dark.addEventListener('change', () => theme.set(wanted()));
apply();

export function ThemeButton() {
  const isDark = useValue(theme) === 'dark';
  const next = isDark ? 'light' : 'dark';
  return (
    <button
      type="button"
      class="button quiet icon-only"
      aria-label={`Switch to the ${next} theme`}
      onClick={() => {
        localStorage.setItem(CHOICE, next);
        theme.set(next);
      }}
    >
      <Icon name={isDark ? 'sun' : 'moon'} />
    </button>
  );
}
