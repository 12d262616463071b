/** Outlines on a grid of 24, drawn for this page. */
const SHAPES = {
  overview: 'M12 3l7 3v5c0 4.6-2.9 8-7 10-4.1-2-7-5.4-7-10V6z',
  files: 'M3 7a2 2 0 012-2h4l2 2h8a2 2 0 012 2v8a2 2 0 01-2 2H5a2 2 0 01-2-2z',
  snapshots: 'M12 21a9 9 0 100-18 9 9 0 000 18zM12 7v5l3.5 2',
  storage: 'M4 5h16v5H4zM4 14h16v5H4zM7.5 7.5h.01M7.5 16.5h.01',
  upkeep: 'M14.5 6.5a4 4 0 005 5L12 19a2.1 2.1 0 01-3-3l7.5-7.5M14.5 6.5l2.5-2.5a4 4 0 00-5.5 5.5L4.5 16.5',
  access: 'M8 15a4 4 0 110-8 4 4 0 010 8zM12 11h9M18 11v3M15 11v2',
  activity: 'M3 12h4l3-8 4 16 3-8h4',
  file: 'M6 3h8l5 5v13H6zM14 3v5h5',
  picture: 'M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9h.01',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  shield: 'M12 3l7 3v5c0 4.6-2.9 8-7 10-4.1-2-7-5.4-7-10V6zM8.5 11.8l2.5 2.5 4.5-4.8',
  warning: 'M12 4l9 16H3zM12 10v4M12 17h.01',
  danger: 'M12 21a9 9 0 100-18 9 9 0 000 18zM12 7.5v5.5M12 16.2h.01',
  info: 'M12 21a9 9 0 100-18 9 9 0 000 18zM12 11v5.5M12 7.8h.01',
  close: 'M6 6l12 12M18 6L6 18',
  upload: 'M12 16V4M7 9l5-5 5 5M4 16v4h16v-4',
  download: 'M12 4v12M7 11l5 5 5-5M4 16v4h16v-4',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5',
  pencil: 'M4 20l1-4L16 5l3 3L8 19zM14 7l3 3',
  search: 'M11 18a7 7 0 100-14 7 7 0 000 14zM16 16l5 5',
  moon: 'M20 14.5A8.5 8.5 0 119.5 4a7 7 0 0010.5 10.5z',
  sun: 'M12 16.5a4.5 4.5 0 100-9 4.5 4.5 0 000 9zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M5 19l1.4-1.4M17.6 6.4L19 5',
  play: 'M7 5l12 7-12 7z',
  pause: 'M8 5v14M16 5v14',
  plus: 'M12 5v14M5 12h14',
  wait: 'M12 3a9 9 0 109 9',
  back: 'M15 5l-7 7 7 7',
  restore: 'M4 12a8 8 0 108-8c-2.5 0-4.7 1.1-6.2 2.9L4 9M4 4v5h5',
} as const;

export type IconName = keyof typeof SHAPES;

/** A picture that says nothing by itself: words stand beside it. */
export function Icon({ name, class: extra = '' }: { readonly name: IconName; readonly class?: string }) {
  return (
    <svg class={`icon ${extra}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={SHAPES[name]} />
    </svg>
  );
}

export function Logo() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#0f766e" />
      <path d="M9 8v16M23 8v16M9 16h14" stroke="#fff" stroke-width="4" stroke-linecap="round" />
    </svg>
  );
}
