import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export type Fields = Readonly<Record<string, unknown>>;

export interface TokenChanges {
  readonly version?: 1 | 2;
  readonly tenantId?: string;
  readonly header?: Fields;
  /** Undefined takes a claim away. */
  readonly claims?: Fields;
  readonly key?: SigningKey;
}

/** A stand-in of Microsoft Entra's key endpoint, which also signs. One key for all tenants, as in the real one. */
export interface EntraAuthority {
  readonly url: string;
  readonly tenantId: string;
  /** Of version 1 and of version 2. */
  readonly audiences: readonly [string, string];
  /** The settings of a broker that takes its tokens. */
  readonly settings: Readonly<Record<string, string>>;
  /** The key that signs now. */
  readonly key: SigningKey;
  /** The paths that were asked for since the start. */
  readonly requests: readonly string[];
  /** Makes the endpoint answer 500, or with something else, or as it should. */
  answerWith(answer: 'down' | 'garbage' | 'keys'): void;
  /** Signs with a new key from now on; the endpoint no longer has the old one. */
  rotate(): SigningKey;
  token(changes?: TokenChanges): string;
  stop(): Promise<void>;
}

export interface EntraAuthorityOptions {
  readonly now: () => number;
}

export function newSigningKey(kid: string = randomUUID()): SigningKey {
  return { kid, ...generateKeyPairSync('rsa', { modulusLength: 2048 }) };
}

export function encode(part: unknown): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
}

/** A compact JWS over texts as they are, well formed or not. */
export function signCompact(header: unknown, payload: unknown, { privateKey }: Pick<SigningKey, 'privateKey'>): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`;
}

export async function startEntraAuthority({ now }: EntraAuthorityOptions): Promise<EntraAuthority> {
  const tenantId = randomUUID();
  const clientId = randomUUID();
  const audiences = [`api://${clientId}`, clientId] as const;
  const requests: string[] = [];
  let answer: 'down' | 'garbage' | 'keys' = 'keys';
  let key = newSigningKey();

  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    const jwk = { ...key.publicKey.export({ format: 'jwk' }), use: 'sig', kid: key.kid, issuer: '{tenantid}' };
    const body = answer === 'garbage' ? '<html>' : JSON.stringify({ keys: [jwk] });
    response.writeHead(answer === 'down' ? 500 : 200, { 'content-type': 'application/json' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    tenantId,
    audiences,
    requests,
    settings: {
      ENTRA_AUTHORITY: url,
      ENTRA_TENANT_ID: tenantId,
      ENTRA_AUDIENCE: audiences.join(','),
    },
    get key() {
      return key;
    },
    answerWith(next) {
      answer = next;
    },
    rotate() {
      key = newSigningKey();
      return key;
    },
    token({ version = 2, tenantId: tid = tenantId, header, claims, key: signer = key } = {}) {
      const seconds = Math.floor(now() / 1000);
      const payload = {
        aud: audiences[version - 1],
        iss: version === 1 ? `https://sts.windows.net/${tid}/` : `${url}/${tid}/v2.0`,
        iat: seconds - 5,
        nbf: seconds - 5,
        exp: seconds + 3600,
        oid: '0b1ec700-0000-4000-8000-000000000001',
        sub: '0b1ec700-0000-4000-8000-000000000001',
        tid,
        ver: `${version}.0`,
        roles: ['Bowline.Reader', 'Bowline.Operator'],
        idtyp: 'app',
        ...(version === 1 ? { appid: clientId, appidacr: '1' } : { azp: clientId, azpacr: '1' }),
        ...claims,
      };
      return signCompact({ typ: 'JWT', alg: 'RS256', kid: signer.kid, ...header }, payload, signer);
    },
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
