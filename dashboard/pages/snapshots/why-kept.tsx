import { useState } from 'preact/hooks';
import { getJson } from '../../api/store.ts';
import { countOf } from '../../lib/format.ts';
import { Failure, Skeleton } from '../../parts/basics.tsx';

interface Explanation {
  readonly lifelines: readonly {
    readonly root: { readonly name: string; readonly number?: number };
  }[];
  readonly lifelineCount: number;
}

const SHOWN_MAX = 10;

/** Which series keep this content, and since which of their snapshots. */
export function WhyKept({ scope, address }: { readonly scope: string; readonly address: string }) {
  const [found, setFound] = useState<Explanation>();
  const [error, setError] = useState<unknown>();
  const [isAsking, setAsking] = useState(false);
  const ask = (): void => {
    setAsking(true);
    getJson<Explanation>('/explain', { scope, query: { address } })
      .then(setFound, setError)
      .finally(() => setAsking(false));
  };
  if (error) return <Failure error={error} />;
  if (isAsking) return <Skeleton rows={2} />;
  if (!found)
    return (
      <div>
        <button type="button" class="button" onClick={ask}>
          Why is this kept?
        </button>
      </div>
    );
  // What a ref names now is also the last move of its history.
  const moments = found.lifelines.flatMap(({ root: { name, number } }) =>
    number === undefined ? [] : [{ name, number }],
  );
  const isMore = found.lifelineCount > found.lifelines.length;
  return (
    <section aria-label="Why this is kept">
      <h3>Why this is kept</h3>
      <p>
        {isMore && 'At least '}
        {`${countOf(moments.length, 'snapshot holds', 'snapshots hold')} this content. It stays as long as one of them does.`}
      </p>
      <ul class="plain-list">
        {moments.slice(0, SHOWN_MAX).map(({ name, number }) => (
          <li key={`${name} ${number}`}>{`snapshot ${number} of ${name}`}</li>
        ))}
      </ul>
    </section>
  );
}
