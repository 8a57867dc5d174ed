import type { FinishedAuthorization } from '../../usecases/authorization/callback.ts';
import { html, page } from './html.ts';

/** The page that says what became of an authorization, and what to do. */
export function callbackPage({ transaction, status, statusReason, message }: FinishedAuthorization) {
  const isDone = status === 'completed';
  return page(
    isDone ? 'Connected' : 'Not connected',
    html`<main>
<h1>${isDone ? `“${transaction.connection}” is connected` : `“${transaction.connection}” was not connected`}</h1>
<p>${message}</p>
<dl>
<dt>Organisation</dt><dd>${transaction.org}</dd>
<dt>Status</dt><dd><code>${status}</code></dd>
${statusReason === null ? html`` : html`<dt>Reason</dt><dd><code>${statusReason}</code></dd>`}
</dl>
</main>`,
  );
}
