import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';

const warmUpMs = 2000;
const countedMs = 8000;

export interface TokenClient {
  readonly tokenUrl: string;
  readonly client: { readonly clientId: string; readonly clientSecret: string };
}

/**
 * Refreshes a second that an authorization server answers when nobody else is at work: each token begins a chain, in
 * which the answer's refresh token is the next one to be used. The chains go side by side on connections that stay
 * open. Throws when a refresh is refused.
 */
export async function refreshesPerSecond(
  { tokenUrl, client }: TokenClient,
  refreshTokens: readonly string[],
): Promise<number> {
  const { origin, pathname } = new URL(tokenUrl);
  const pool = new Pool(origin, { connections: refreshTokens.length, pipelining: 1 });
  const headers = {
    authorization: `Basic ${Buffer.from(`${client.clientId}:${client.clientSecret}`).toString('base64')}`,
    'content-type': 'application/x-www-form-urlencoded',
  };
  const refresh = async (refreshToken: string): Promise<string> => {
    const form = `grant_type=refresh_token&refresh_token=${encodeURIComponent(refreshToken)}`;
    const { statusCode, body } = await pool.request({ path: pathname, method: 'POST', headers, body: form });
    const answer = (await body.json()) as { readonly refresh_token?: string };
    const next = answer.refresh_token;
    if (statusCode !== 200 || next === undefined || next === refreshToken) {
      throw new Error(`the authorization server did not rotate a refresh token (${statusCode})`);
    }
    return next;
  };
  let done = 0;
  let isOver = false;
  const follow = async (first: string): Promise<void> => {
    for (let token = first; !isOver; done += 1) token = await refresh(token);
  };
  const count = async (): Promise<number> => {
    await delay(warmUpMs);
    const [before, began] = [done, performance.now()];
    await delay(countedMs);
    const perSecond = ((done - before) * 1000) / (performance.now() - began);
    isOver = true;
    return perSecond;
  };
  try {
    const [perSecond] = await Promise.all([count(), ...refreshTokens.map(follow)]);
    return perSecond;
  } finally {
    isOver = true;
    await pool.destroy();
  }
}
