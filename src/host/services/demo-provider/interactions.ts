import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Configuration, Interaction, Provider } from 'oidc-provider';
import { consentPage, errorPage, pageHeaders, signInPage } from './pages.ts';

const prefix = '/interaction/';
const maxFormBytes = 4096;
const loginPattern = /^[\p{L}\p{N}][\p{L}\p{N}._@+-]{0,63}$/u;

/**
 * How an oidc-provider finds its people and its pages: whoever signs in exists, and every authorization asks for
 * consent and makes a grant of its own, so that revoking one leaves the others alone.
 */
export const peopleConfiguration = {
  claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'] },
  findAccount: (_ctx, id) => ({
    accountId: id,
    claims: async () => ({
      sub: id,
      name: id,
      preferred_username: id,
      email: id.includes('@') ? id : `${id}@example.com`,
      email_verified: true,
    }),
  }),
  loadExistingGrant: async (ctx) => {
    const grantId = ctx.oidc.result?.consent?.grantId;
    return grantId === undefined ? undefined : ctx.oidc.provider.Grant.find(grantId);
  },
  interactions: { url: (_ctx, interaction) => `${prefix}${interaction.uid}` },
  features: { devInteractions: { enabled: false } },
  renderError: async (ctx, out) => {
    ctx.set(pageHeaders);
    ctx.body = errorPage(`${out.error}: ${out.error_description ?? 'no description'}`);
  },
} satisfies Configuration;

/** A request handler: the sign-in and consent pages under /interaction, the provider's own routes otherwise. */
export function withInteractions(provider: Provider): (request: IncomingMessage, response: ServerResponse) => void {
  const callback = provider.callback();
  return (request, response) => {
    if (!request.url?.startsWith(prefix)) {
      callback(request, response);
      return;
    }
    interact(provider, request, response).catch(() => {
      if (!response.headersSent) show(response, 400, errorPage('This sign-in has lapsed. Go back and start again.'));
      else response.destroy();
    });
  };
}

async function interact(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const interaction = await provider.interactionDetails(request, response);
  if (request.method === 'GET') {
    show(response, 200, interactionPage(interaction, request.url ?? ''));
    return;
  }
  const form = new URLSearchParams(await readForm(request));
  if (form.get('decision') === 'deny') {
    const refused = { error: 'access_denied', error_description: 'The person refused.' };
    await provider.interactionFinished(request, response, refused, { mergeWithLastSubmission: false });
  } else if (interaction.prompt.name === 'login') {
    const login = (form.get('login') ?? '').trim();
    if (!loginPattern.test(login)) {
      show(
        response,
        400,
        interactionPage(interaction, request.url ?? '', { login, error: 'Enter a name, like alice.' }),
      );
      return;
    }
    await provider.interactionFinished(request, response, { login: { accountId: login } });
  } else {
    const consent = { grantId: await saveGrant(provider, interaction) };
    await provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
  }
}

function interactionPage(
  interaction: Interaction,
  action: string,
  { login, error }: { readonly login?: string; readonly error?: string } = {},
): string {
  const client = String(interaction.params.client_id);
  if (interaction.prompt.name === 'login') {
    const hint = interaction.params.login_hint;
    const shown = login ?? (typeof hint === 'string' ? hint : '');
    return signInPage({ action, client, login: shown, ...(error === undefined ? {} : { error }) });
  }
  const scopes = String(interaction.params.scope ?? '')
    .split(' ')
    .filter((scope) => scope !== '');
  return consentPage({ action, client, account: interaction.session?.accountId ?? 'you', scopes });
}

async function saveGrant(provider: Provider, interaction: Interaction): Promise<string> {
  const accountId = interaction.session?.accountId;
  if (accountId === undefined) throw new Error('consent comes after signing in');
  const grant = new provider.Grant({ accountId, clientId: String(interaction.params.client_id) });
  grant.addOIDCScope(String(interaction.params.scope ?? 'openid'));
  const { missingOIDCClaims } = interaction.prompt.details;
  if (Array.isArray(missingOIDCClaims)) grant.addOIDCClaims(missingOIDCClaims);
  return grant.save();
}

async function readForm(request: IncomingMessage): Promise<string> {
  if (Number(request.headers['content-length'] ?? Number.POSITIVE_INFINITY) > maxFormBytes)
    throw new Error('form too large');
  return text(request);
}

function show(response: ServerResponse, status: number, html: string): void {
  response.writeHead(status, pageHeaders).end(html);
}
