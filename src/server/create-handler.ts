import type { Store } from '../index.ts';
import { Access, type Peer } from './access/access.ts';
import { buildApp } from './build-app.ts';
import { DashboardPage } from './dashboard-page.ts';
import { problemAnswer } from './http/problem.ts';
import { checkEncoding } from './http/request-path.ts';
import { Jobs } from './jobs/jobs.ts';
import { Admission } from './limits/admission.ts';
import { BodyBudget } from './limits/body-budget.ts';
import { Rate } from './limits/rate.ts';
import { ServerMetrics } from './metrics.ts';
import { demoRoutes } from './routes/demo.ts';
import { ROUTES } from './routes/routes.ts';
import { type HandlerOptions, settingsOf } from './settings.ts';
import { SpaceHistory } from './space-history.ts';
import { UploadSpool } from './uploads/upload-spool.ts';

/** Answers a request. @param peer what is known of the connection; default: nothing, so that the caller needs a token */
export type Handler = (request: Request, peer?: Peer) => Promise<Response>;

/** What every answer says to browsers: content of others runs and embeds nothing here, and is what its type says. */
const GUARDS: Readonly<Record<string, string>> = {
  'content-security-policy': "default-src 'none'; sandbox; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** Statuses of what is refused to somebody. */
const REFUSALS = new Set([401, 403, 429]);

const isReading = (method: string): boolean => method === 'GET' || method === 'HEAD';

/** The address of an upload is what opens it, and is in no log. */
function auditPath(url: string): string {
  return new URL(url).pathname.replace(/(\/uploads\/)[^/]+$/, '$1*');
}

function guarded(answer: Response): Response {
  for (const [name, value] of Object.entries(GUARDS)) {
    if (!answer.headers.has(name)) answer.headers.set(name, value);
  }
  return answer;
}

/**
 * A store as a web-standard handler, for use inside of any application or server; `serve` puts it behind a socket. It reads and
 * writes through the public interface of the store alone, and never closes it. Bodies stream both ways, memory is bounded for
 * any size. It never rejects: what goes wrong is answered as problem details (RFC 9457).
 * @example
 * const handler = createHandler(store, { access: { tokens: new TokenFile('tokens.json') } });
 * const answer = await handler(new Request('http://localhost/healthz'));
 */
export function createHandler(store: Store, options: HandlerOptions = {}): Handler {
  const settings = settingsOf(options);
  const { clock, logger, audit } = settings;
  const access = new Access(settings.access, clock);
  const admission = new Admission(settings.limits);
  const bodies = new BodyBudget(settings.limits);
  const rate = new Rate(settings);
  const metrics = new ServerMetrics(settings);
  const jobs = new Jobs(store, settings);
  const uploads = settings.uploads && new UploadSpool(settings.uploads, settings);
  const history = new SpaceHistory(store, settings);
  const app = buildApp(options.demo ? [...ROUTES, ...demoRoutes(options.demo)] : ROUTES);
  const page = settings.dashboard ? new DashboardPage() : undefined;
  /** @returns the answer, and who was recognised */
  const answer = async (request: Request, peer: Peer): Promise<readonly [Response, string]> => {
    let name = `address ${access.addressOf(request, peer)}`;
    let leave = (): void => undefined;
    let staysOpen = false;
    const keepOpen = (): (() => void) => {
      staysOpen = true;
      return leave;
    };
    try {
      checkEncoding(new URL(request.url).pathname);
      // The page tells nothing of the store, and a link to it may stand anywhere.
      const shown = await page?.answer(request);
      if (shown) return [shown, name];
      const caller = await access.recognise(request, peer);
      name = caller.name;
      rate.take(name);
      leave = admission.enter(name);
      const arrival = {
        request,
        peer,
        settings,
        store,
        metrics,
        jobs,
        history,
        uploads,
        bodies,
        caller,
        signal: request.signal,
        readAheadBytes: admission.readAheadBytes,
        keepOpen,
      };
      return [await app.fetch(request, arrival), name];
    } catch (error) {
      return [problemAnswer(error, { signal: request.signal, logger }), name];
    } finally {
      if (!staysOpen) leave();
    }
  };
  return async (request, peer = {}) => {
    const began = clock.monotonicMs();
    const [plain, name] = await answer(request, peer);
    const { method } = request;
    const { status } = plain;
    metrics.count(method, status, clock.monotonicMs() - began);
    if (audit && (!isReading(method) || REFUSALS.has(status))) {
      const time = new Date(clock.now()).toISOString();
      audit({ time, caller: name, method, path: auditPath(request.url), status });
    }
    return guarded(plain);
  };
}
