import { escapeHtml, page, pageHeaders } from '../demo-provider/pages.ts';
import type { HttpAnswer } from './exchange.ts';
import { people } from './people.ts';

const notice =
  '<p class="note">This is a stand-in for development. Nobody real is asked, and nothing real is given.</p>';

export function pageAnswer(html: string, status = 200): HttpAnswer {
  return { status, headers: pageHeaders, body: html };
}

export function messagePage(title: string, message: string): string {
  return page(escapeHtml(title), `<p>${escapeHtml(message)}</p>${notice}`);
}

const accounts = people
  .map(({ name, email }, index) => {
    const checked = index === 0 ? ' checked' : '';
    const text = escapeHtml(`${name} (${email})`);
    return `<label><input type="radio" name="person" value="${index + 1}"${checked}> ${text}</label>`;
  })
  .join('\n');

const buttons = `<p><button name="decision" value="allow">Allow</button>
<button class="quiet" name="decision" value="deny" formnovalidate>Deny</button></p>`;

interface AuthorizationPage {
  readonly provider: string;
  readonly action: string;
  readonly client: string;
  readonly scopes: readonly string[];
  /** Scopes can be left out. */
  readonly mayChoose: boolean;
  readonly asksWhereTo: boolean;
}

export function authorizationPage({
  provider,
  action,
  client,
  scopes,
  mayChoose,
  asksWhereTo,
}: AuthorizationPage): string {
  const items = scopes.map((scope) => {
    const text = escapeHtml(scope);
    return mayChoose
      ? `<label><input type="checkbox" name="granted" value="${text}" checked> ${text}</label>`
      : `<li>${text}</li>`;
  });
  const whereTo = `<label for="return_to">Registered redirect URL</label>
<input id="return_to" name="return_to" type="url" required placeholder="…/api/oauth/callback/name-of-the-connection">`;
  return page(
    `Mock ${escapeHtml(provider)}`,
    `<p><strong>${escapeHtml(client)}</strong> asks for access${items.length === 0 ? '' : ' to'}:</p>
<form method="post" action="${escapeHtml(action)}">
${mayChoose ? items.join('\n') : `<ul>${items.join('\n')}</ul>`}
<p>As whom?</p>
${accounts}
${asksWhereTo ? whereTo : ''}
${buttons}
</form>
${notice}`,
  );
}

export function devicePage({ provider, action }: { readonly provider: string; readonly action: string }): string {
  return page(
    `Mock ${escapeHtml(provider)}: a device`,
    `<form method="post" action="${escapeHtml(action)}" autocomplete="off">
<label for="user_code">Code on the device</label>
<input id="user_code" name="user_code" required maxlength="20" autofocus>
${accounts}
${buttons}
</form>
${notice}`,
  );
}

/** What is here, and what can be made to go wrong. */
export function frontPage(
  providers: readonly { readonly id: string; readonly name: string }[],
  clientId: string,
): string {
  const rows = providers.map(
    ({ id, name }) => `<li>${escapeHtml(name)} (<code>${escapeHtml(id)}</code>)
<form method="post" action="/${id}/fault"><button class="quiet" name="fault" value="rate_limited">Answer 429 once</button>
<button class="quiet" name="fault" value="unavailable">Be down once</button>
<button class="quiet" name="fault" value="end_grants">End all grants</button></form></li>`,
  );
  return page(
    'Mock providers',
    `<p>Stand-ins for every provider of the catalogue. The client id is <code>${escapeHtml(clientId)}</code>; secret and private key are in <code>host.json</code>, under <code>mock_providers</code>.</p>
<ul>${rows.join('\n')}</ul>
${notice}`,
  );
}
