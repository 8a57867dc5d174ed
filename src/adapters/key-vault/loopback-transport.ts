import { createDefaultHttpClient, createHttpHeaders, type HttpClient } from '@azure/core-rest-pipeline';
import type { TokenCredential } from '@azure/identity';

/** The SDK answers the vault's challenge over https only, so that it is given such an address and we send elsewhere. */
export const loopbackVaultUrl = 'https://bowline.vault.azure.net';

/** An emulator takes any token. */
export const loopbackCredential: TokenCredential = {
  getToken: async () => ({ token: 'loopback', expiresOnTimestamp: Number.MAX_SAFE_INTEGER }),
};

/** Carries every request for `loopbackVaultUrl` to `origin`. What is sent elsewhere is refused. */
export function createLoopbackTransport(origin: string): HttpClient {
  const client = createDefaultHttpClient();
  return {
    async sendRequest(request) {
      const url = new URL(request.url);
      if (url.origin !== loopbackVaultUrl) throw new Error('a request to another vault');
      const headers = createHttpHeaders(request.headers.toJSON({ preserveCase: true }));
      // The ids and links in the answers must lead back here, not to the emulator's own address.
      headers.set('x-forwarded-proto', 'https');
      headers.set('x-forwarded-host', url.host);
      const carried = {
        ...request,
        headers,
        url: `${origin}${url.pathname}${url.search}`,
        allowInsecureConnection: true,
      };
      const response = await client.sendRequest(carried);
      return { ...response, request };
    },
  };
}

/** Whether an address is this machine's own. */
export function isLoopback(url: URL): boolean {
  return ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
}
