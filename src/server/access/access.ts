/** Who is calling: from a connection and the head of a request to a grant. */
import { storeError } from '../../errors/store-error.ts';
import { SERVER_REFUSALS_MAX, SERVER_REFUSALS_MS, SERVER_REFUSED_ADDRESSES_MAX } from '../../limits.ts';
import type { Clock } from '../../runtime/clock.ts';
import { isForwarded, isLoopbackAddress, isLoopbackHost, refuseCrossSite } from './browser.ts';
import type { Grant } from './grant.ts';

/** What `serve` knows of a connection, and an application that calls the handler itself may say. */
export interface Peer {
  /** Network address of the client. */
  readonly address?: string;
  /** Tells a client that asked (`Expect: 100-continue`) to send its body; called when the first of it is wanted. */
  readonly startBody?: () => void;
  /** Ends the connection without an end of the answer, so that nobody takes what came for all of it. */
  readonly disconnect?: () => void;
}

/** How callers are recognised. */
export interface AccessOptions {
  /** Finds what the bearer of a token may do. Default: there are no tokens. */
  readonly tokens?: { find(token: string): Promise<Grant | undefined> };
  /** Let clients on this machine do everything without a token. Default false. */
  readonly loopback?: boolean;
  /** Believe `X-Forwarded-For` and `X-Forwarded-Host`, which a proxy in front sets; nobody comes from the loopback then. */
  readonly behindProxy?: boolean;
}

/** Who calls, and from where. */
export interface Caller {
  readonly grant: Grant | undefined;
  /** What limits are counted by: the name of the token, or else the address. */
  readonly name: string;
}

const LOOPBACK: Grant = { name: 'loopback', verbs: ['admin'] };
const BEARER = /^bearer +([^ ]+)$/i;

interface Refusals {
  readonly since: number;
  count: number;
}

/** Recognises callers, and counts wrong tokens by address. */
export class Access {
  readonly #options: AccessOptions;
  readonly #clock: Clock;
  readonly #refusals = new Map<string, Refusals>();

  constructor(options: AccessOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Where a request comes from, as far as that is known. */
  addressOf({ headers }: Request, peer: Peer): string {
    // The rightmost address is the one that the proxy saw; what stands before it the client may have written.
    const forwarded = this.#options.behindProxy ? headers.get('x-forwarded-for')?.split(',').at(-1)?.trim() : undefined;
    return forwarded ?? peer.address ?? 'unknown';
  }

  /**
   * @throws `denied/ACTION_FORBIDDEN` for pages of other sites, `denied/TOKEN_REQUIRED` for a wrong token,
   *   `unavailable/REQUESTS_EXCEEDED` for one of many
   */
  async recognise(request: Request, peer: Peer): Promise<Caller> {
    const { headers } = request;
    const { behindProxy = false, loopback = false } = this.#options;
    const address = this.addressOf(request, peer);
    const host = (behindProxy ? headers.get('x-forwarded-host') : null) ?? new URL(request.url).host;
    refuseCrossSite(headers, host);
    const authorization = headers.get('authorization');
    if (authorization !== null) {
      const grant = await this.#bearer(authorization, address);
      return { grant, name: `token ${grant.name}` };
    }
    const isHere = loopback && !behindProxy && !isForwarded(headers) && isLoopbackAddress(peer.address);
    // By any other name it may be a page that an attacker made resolve to this machine.
    if (isHere && !isLoopbackHost(host))
      throw storeError(
        'ACTION_FORBIDDEN',
        'without a token this server answers to localhost, 127.0.0.1 and [::1] alone',
      );
    return { grant: isHere ? LOOPBACK : undefined, name: `address ${address}` };
  }

  async #bearer(authorization: string, address: string): Promise<Grant> {
    const token = BEARER.exec(authorization)?.[1];
    const grant = token === undefined ? undefined : await this.#options.tokens?.find(token);
    if (grant !== undefined) return grant;
    // Only who is wrong is told to wait: a neighbour behind the same address goes on.
    if (this.#countRefusal(address) > SERVER_REFUSALS_MAX)
      throw storeError('REQUESTS_EXCEEDED', 'too many wrong tokens from this address');
    throw storeError('TOKEN_REQUIRED', 'the token is unknown, revoked or expired');
  }

  #countRefusal(address: string): number {
    const now = this.#clock.monotonicMs();
    const known = this.#refusals.get(address);
    if (known !== undefined && now - known.since < SERVER_REFUSALS_MS) return ++known.count;
    this.#refusals.delete(address);
    // The first ones in are the oldest.
    const [oldest] = this.#refusals.keys();
    if (this.#refusals.size >= SERVER_REFUSED_ADDRESSES_MAX && oldest !== undefined) this.#refusals.delete(oldest);
    this.#refusals.set(address, { since: now, count: 1 });
    return 1;
  }
}
