import { request } from 'node:https';
import { expect, it } from 'vitest';
import { serveStore } from '../support/served-store.ts';

/** Of `openssl req -x509 -newkey ec`, for localhost, until 2126; it protects nothing. */
const CERT = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUBmqYCgTgMzvS1HO1kVESAoTJvH4wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjE2NTg1MFoYDzIxMjYxMDI5
MTY1ODUwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQIyewKauhbXlItPFiv91ggtPzX9SvyyoWJn+09nFntDuTlYmkTKYci
8oLFIZRNAbIbyimHROTFaSfUXCHzqCL2o28wbTAdBgNVHQ4EFgQUUx1Jbjao03aS
A9eSpznIL3SJKIowHwYDVR0jBBgwFoAUUx1Jbjao03aSA9eSpznIL3SJKIowDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgKzpaKV5dfQHOfQmpEmRsLuBPfccKO1j2J/THhm9/m2cCIQD6
PGv8H1CnwZNlizyVaCVNU9+/pofo6UBICtFhwrV6kA==
-----END CERTIFICATE-----`;
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgnDvzNbXvv9JkZhL+
KZ3HZ1ZlvQqVHV3y77ntoHKchzKhRANCAAQIyewKauhbXlItPFiv91ggtPzX9Svy
yoWJn+09nFntDuTlYmkTKYci8oLFIZRNAbIbyimHROTFaSfUXCHzqCL2
-----END PRIVATE KEY-----`;

it('serves HTTPS with a certificate of its own', async () => {
  await using served = await serveStore({ tls: { cert: CERT, key: KEY } });
  expect(served.url).toMatch(/^https:/);
  await served.store.put('k', 'secret on the way');
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const asked = request(`${served.url}/files/k`, { ca: CERT, agent: false }, async (answer) => {
    resolve(Buffer.concat(await answer.toArray()).toString());
  });
  asked.on('error', reject).end();
  expect(await promise).toBe('secret on the way');
});
