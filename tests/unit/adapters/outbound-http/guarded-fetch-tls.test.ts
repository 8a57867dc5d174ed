import { createServer } from 'node:https';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { wasSent } from '../../../../src/adapters/outbound-http/guarded-fetch.ts';
import { type Certificate, selfSigned } from './certificate.ts';
import { failureOf, guarded, listen, lookupOf } from './support.ts';

const dayMs = 86_400_000;
const providerName = 'provider.example.com';

function certificateFor(dnsName: string, fromDays: number, toDays: number): Certificate {
  const now = Date.now();
  return selfSigned({ dnsName, notBefore: new Date(now + fromDays * dayMs), notAfter: new Date(now + toDays * dayMs) });
}

/** Asks for `https://provider.example.com` at a server of our own that shows the certificate. */
async function ask(certificate: Certificate) {
  let requests = 0;
  const server = createServer(certificate, (_request, response) => {
    requests += 1;
    response.end('ok');
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = await listen(server);
  const answer = guarded({ lookup: lookupOf(['127.0.0.1']) }).fetch(`https://${providerName}:${port}/`);
  return { answer, requests: () => requests };
}

describe('S-55 TLS', () => {
  const systemCertificates = getCACertificates('default');
  const trust = ({ cert }: Certificate) => setDefaultCACertificates([cert]);

  afterEach(() => {
    setDefaultCACertificates(systemCertificates);
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  });

  test('a valid certificate of a trusted authority is accepted', async () => {
    const certificate = certificateFor(providerName, -1, 1);
    trust(certificate);
    const { answer } = await ask(certificate);
    expect(await (await answer).text()).toBe('ok');
  });

  test.each([
    ['self-signed by nobody we trust', providerName, -1, 1, false, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['expired', providerName, -2, -1, true, 'CERT_HAS_EXPIRED'],
    ['not yet valid', providerName, 1, 2, true, 'CERT_NOT_YET_VALID'],
    ["another host's", 'elsewhere.example.com', -1, 1, true, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('a certificate that is %s is refused before anything is sent', async (_name, dnsName, from, to, trusted, code) => {
    const certificate = certificateFor(dnsName, from, to);
    if (trusted) {
      trust(certificate);
    }
    // Must change nothing.
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    const { answer, requests } = await ask(certificate);
    const failure = await failureOf(answer);
    expect(failure.code).toBe('provider_unavailable');
    expect(failure.detail).toMatch(new RegExp(`^${providerName}:\\d+: ${code}, before anything was sent$`));
    expect(wasSent(failure)).toBe(false);
    expect(requests()).toBe(0);
  });
});
