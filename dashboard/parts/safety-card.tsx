import { useState } from 'preact/hooks';
import { postJson } from '../api/store.ts';
import type { PlacementStatus } from '../api/types.ts';
import { judge, type SafetyLevel, type SafetyStep } from '../lib/safety.ts';
import { Icon, type IconName } from './icon.tsx';
import { complain, tell } from './toasts.tsx';

const LOOKS: Readonly<Record<SafetyLevel, { readonly icon: IconName; readonly tone: string; readonly word: string }>> =
  {
    protected: { icon: 'shield', tone: 'good', word: 'Protected' },
    degraded: { icon: 'warning', tone: 'warn', word: 'Degraded' },
    'at-risk': { icon: 'danger', tone: 'bad', word: 'At risk' },
    bare: { icon: 'warning', tone: 'warn', word: 'One copy' },
    empty: { icon: 'shield', tone: 'good', word: 'Empty' },
  };

interface StepProps {
  readonly step: SafetyStep;
  readonly onChange: () => void;
}

function Step({ step: { text, command, job }, onChange }: StepProps) {
  const [isBusy, setBusy] = useState(false);
  const start = async (): Promise<void> => {
    setBusy(true);
    try {
      await postJson('/jobs', { kind: job?.kind });
      tell('The repair has begun.');
    } catch (error) {
      complain(error);
    }
    setBusy(false);
    onChange();
  };
  return (
    <li>
      <span>
        {text} {command && <code>{command}</code>}
      </span>
      {job && (
        <button type="button" class="button primary" disabled={isBusy} onClick={start}>
          <Icon name="upkeep" />
          {job.label}
        </button>
      )}
    </li>
  );
}

/** The answer to the one question that matters. */
export function SafetyCard({ status, onChange }: { readonly status: PlacementStatus; readonly onChange: () => void }) {
  const { level, title, reasons, steps } = judge(status);
  const { icon, tone, word } = LOOKS[level];
  const [first, ...others] = reasons;
  return (
    <section class={`card wide safety ${tone}`} aria-labelledby="safety" data-level={level}>
      <div class="safety-sign">
        <Icon name={icon} />
      </div>
      <div class="stack">
        <div>
          <p class="safety-word">{word}</p>
          <h2 id="safety">{title}</h2>
          <p class="safety-first">{first}</p>
          {others.map((reason) => (
            <p key={reason}>{reason}</p>
          ))}
        </div>
        {steps.length > 0 && (
          <div>
            <h3>{level === 'protected' ? 'To make it safer still' : 'What to do'}</h3>
            <ol class="steps">
              {steps.map((step) => (
                <Step key={step.text} step={step} onChange={onChange} />
              ))}
            </ol>
          </div>
        )}
      </div>
    </section>
  );
}
