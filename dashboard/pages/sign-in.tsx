import { useState } from 'preact/hooks';
import { signIn, tokenWanted } from '../api/session.ts';
import { useValue } from '../lib/value.ts';
import { Failure, Note } from '../parts/basics.tsx';
import { Logo } from '../parts/icon.tsx';

/** Asks for a token. */
export function SignIn() {
  const [token, setToken] = useState('');
  const [error, setError] = useState<unknown>();
  const isWrong = useValue(tokenWanted) === 'wrong';
  const submit = (event: Event): void => {
    event.preventDefault();
    setError(undefined);
    signIn(token).catch((failure: unknown) => {
      if (tokenWanted.get() !== 'wrong') setError(failure);
    });
  };
  return (
    <main class="sign-in">
      <form class="card" onSubmit={submit}>
        <p class="brand">
          <Logo />
          Holdfast
        </p>
        <h1>Sign in</h1>
        <p class="muted">
          This server asks for a token. Whoever runs it can make one with{' '}
          <code>holdfast token add NAME --allow read,write</code>
        </p>
        {isWrong && (
          <div role="alert">
            <Note tone="bad">The server does not know this token, or it has expired.</Note>
          </div>
        )}
        {error !== undefined && <Failure error={error} />}
        <label class="field">
          Token
          <input
            type="password"
            autocomplete="off"
            spellcheck={false}
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="button primary" disabled={token.trim() === ''}>
          Sign in
        </button>
        <p class="muted small">It is kept until this tab is closed, and nowhere else.</p>
      </form>
    </main>
  );
}
