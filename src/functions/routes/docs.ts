import { defineRoute, type Route } from '../http/route.ts';
import { docsPage } from '../pages/docs-page.ts';

/** The routes are given, for this route is one of them. */
export function docs(routes: () => readonly Route[]): Route {
  return defineRoute({
    name: 'docs',
    method: 'GET',
    path: '/docs',
    tag: 'Documentation',
    summary: 'This API as a page',
    permission: { kind: 'public' },
    audit: 'none',
    responses: { 200: { description: 'The page', isPage: true } },
    handle: async () => ({ status: 200, ...docsPage(routes()) }),
  });
}
