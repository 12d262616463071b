import { changes } from '../api/live.ts';
import { access } from '../api/session.ts';
import { getJson, postJson } from '../api/store.ts';
import { useLoad } from '../lib/load.ts';
import { useValue } from '../lib/value.ts';
import { Badge } from './basics.tsx';
import { complain } from './toasts.tsx';

interface Demo {
  readonly backends: readonly { readonly name: string; readonly broken: boolean }[];
}

function Backends({ onChange }: { readonly onChange: () => void }) {
  const { value, reload } = useLoad((signal) => getJson<Demo>('/demo', { signal }), []);
  const act = async (name: string, action: 'break' | 'mend'): Promise<void> => {
    try {
      await postJson(`/demo/backends/${name}/${action}`, {});
      // A broken one is noticed by whoever looks.
      await postJson('/jobs', { kind: action === 'break' ? 'verify' : 'repair' });
    } catch (error) {
      complain(error);
    }
    changes.set(changes.get() + 1);
    reload();
    onChange();
  };
  return (
    <section class="card wide" aria-labelledby="demo">
      <div class="card-head">
        <h2 id="demo">Try it</h2>
        <Badge>Demonstration</Badge>
      </div>
      <p>Break storage places, see what that means above, and put new ones in: what was on them is made anew.</p>
      <ul class="demo-places">
        {value?.backends.map(({ name, broken }) => (
          <li key={name}>
            <button
              type="button"
              class={`button ${broken ? 'primary' : 'danger'}`}
              onClick={() => void act(name, broken ? 'mend' : 'break')}
            >
              {broken ? `Replace ${name}` : `Break ${name}`}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** In a demonstration alone: disks that may be broken. */
export function DemoCard({ onChange }: { readonly onChange: () => void }) {
  return useValue(access)?.demo ? <Backends onChange={onChange} /> : null;
}
