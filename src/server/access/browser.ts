/**
 * Guards against what pages of other sites make a browser do: a browser reaches the loopback, and whatever name an attacker
 * makes resolve to it (DNS rebinding).
 */
import { storeError } from '../../errors/store-error.ts';

const LOOPBACK_ADDRESS = /^(?:::ffff:)?127(?:\.\d{1,3}){3}$|^::1$/;
const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;
/** What a proxy adds to what it passes on: such a request comes from elsewhere, whatever its connection says. */
const FORWARDING = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'via'];

export function isLoopbackAddress(address: string | undefined): boolean {
  return address !== undefined && LOOPBACK_ADDRESS.test(address);
}

/** Whether the name that the client used is one that nobody else can make mean this machine. */
export function isLoopbackHost(host: string): boolean {
  return LOOPBACK_HOST.test(host);
}

export function isForwarded(headers: Headers): boolean {
  return FORWARDING.some((name) => headers.has(name));
}

/**
 * @param host where the client believes to be, with the port
 * @throws `denied/ACTION_FORBIDDEN` for what a page of another site makes a browser send
 */
export function refuseCrossSite(headers: Headers, host: string): void {
  const site = headers.get('sec-fetch-site');
  const origin = headers.get('origin');
  const isForeignSite = site !== null && site !== 'same-origin' && site !== 'none';
  const isForeignOrigin = origin !== null && (!URL.canParse(origin) || new URL(origin).host !== host.toLowerCase());
  if (isForeignSite || isForeignOrigin)
    throw storeError('ACTION_FORBIDDEN', 'a page of another site may not send requests here');
}
