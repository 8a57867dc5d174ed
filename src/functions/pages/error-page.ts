import { html, page } from './html.ts';

/** The page for a person whose request went wrong. */
export function errorPage(message: string, correlationId: string) {
  return page(
    'Not connected',
    html`<main>
<h1>This did not work</h1>
<p>${message}</p>
<p class="small">Reference: ${correlationId}</p>
</main>`,
  );
}
