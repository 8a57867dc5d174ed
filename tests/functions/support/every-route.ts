/** A path with an example in place of each parameter: nothing of that name exists. */
export function pathOf(template: string): string {
  return `/api${template.replace(/\{id\}/, '0123456789abcdef').replace(/\{[^}]+\}/g, 'absent')}`;
}

/** What a route is called with so that it gets past validation: nothing of it exists, so little happens. */
const bodies: Readonly<Record<string, unknown>> = {
  'connections-create': { connection_name: 'incomplete' },
  'connections-tokens': { access_token: 'at-of-nobody' },
  revoke: { dry_run: true },
  import: { version: 1, connections: [{}] },
  'credentials-exchange': { subject_token: 'of-nobody' },
  'callers-create': { name: 'incomplete' },
  'workflow-dependencies-add': { connection_name: 'absent' },
};

/** A body for the routes that take one. */
export function bodyOf(route: { readonly name: string; readonly method: string }): unknown {
  if (route.name in bodies) return bodies[route.name];
  return route.method === 'POST' || route.method === 'PUT' ? {} : undefined;
}
