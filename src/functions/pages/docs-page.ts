import type { Permission, Route } from '../http/route.ts';
import { statusOf } from '../http/status.ts';
import { type Html, html, page } from './html.ts';

/** The route table as a page, for reading; `openapi.json` has the details for machines. */
export function docsPage(routes: readonly Route[]) {
  const tags = [...new Set(routes.map(({ tag }) => tag))];
  return page(
    'Bowline API',
    html`<main>
<h1>Bowline API</h1>
<p>Base path <code>/api</code>. Send <code>Authorization: Bearer &lt;API key&gt;</code> and, where you act for several organisations, <code>X-Organization-Id</code>. The whole contract is in <a href="openapi.json">openapi.json</a>.</p>
${tags.map((tag) =>
  section(
    tag,
    routes.filter((route) => route.tag === tag),
  ),
)}
</main>`,
  );
}

function section(tag: string, routes: readonly Route[]): Html {
  return html`<h2>${tag}</h2>
${routes.map(
  (route) => html`<p><code><b>${route.method}</b> ${route.path}</code><br>${route.summary}.
<br><span class="small">${describePermission(route.permission)} · ${outcomes(route)}</span></p>
`,
)}`;
}

function describePermission(permission: Permission): string {
  if (permission.kind === 'public') return 'public';
  return permission.kind === 'caller' ? 'any caller' : `role ${permission.roles.join(', ')}`;
}

function outcomes({ responses, errors }: Route): string {
  return [...Object.keys(responses), ...(errors ?? []).map((code) => `${statusOf[code]} ${code}`)].join(', ');
}
