import type { ConnectPage } from '../../usecases/authorization/open-connect-page.ts';
import { html, page } from './html.ts';

/** The page that says who asks for what, before a person goes on to the provider. */
export function connectPage({ transaction, providerHost, authorizationUrl }: ConnectPage) {
  const { connectionOrg, org, connection, userId, callerName, scopes } = transaction;
  return page(
    `Connect ${connection}`,
    html`<main>
<h1>Connect “${connection}”</h1>
<p>Somebody asks you to sign in at the provider and to allow this connection to use your account.</p>
<dl>
<dt>Organisation</dt><dd>${org}</dd>
<dt>Connection</dt><dd>${connection}${connectionOrg === org ? '' : ` (shared by ${connectionOrg})`}</dd>
<dt>Provider</dt><dd>${providerHost}</dd>
<dt>Asked by</dt><dd>${callerName}</dd>
${userId === null ? html`` : html`<dt>For user</dt><dd>${userId}</dd>`}
${scopes === null ? html`` : html`<dt>Access</dt><dd>${scopes}</dd>`}
</dl>
<p><a class="go" rel="noreferrer" href="${authorizationUrl}">Continue to ${providerHost}</a></p>
<p class="small">If you did not expect this, close the page: nothing is connected. The link works for ten minutes, in this browser only.</p>
</main>`,
  );
}
