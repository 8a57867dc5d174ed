import type { AuthorizationServer } from '../../tests/support/authorization-server.ts';

/** Without `openid`: signing an ID token at each refresh would make the server slower, and what it is compared with faster. */
const scope = 'offline_access read';

/** Refresh tokens, each of a grant of its own, as the code flow would have issued them. */
export async function mintRefreshTokens(
  { provider, clients }: AuthorizationServer,
  count: number,
): Promise<readonly string[]> {
  const client = await provider.Client.find(clients.basic.clientId);
  if (client === undefined) throw new Error('the authorization server does not know its client');
  const mint = async (accountId: string): Promise<string> => {
    const grant = new provider.Grant({ clientId: client.clientId, accountId });
    grant.addOIDCScope(scope);
    const grantId = await grant.save();
    const gty = 'authorization_code';
    return new provider.RefreshToken({ client, accountId, grantId, scope, gty, expiresWithSession: false }).save();
  };
  return Promise.all(Array.from({ length: count }, (_, index) => mint(`account-${index}`)));
}
