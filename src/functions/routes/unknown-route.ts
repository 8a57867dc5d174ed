import type { HttpRequest } from '@azure/functions';
import { BrokerError } from '../../domain/errors.ts';
import { defineRoute, type Route } from '../http/route.ts';

/** Takes what no other route takes, with any method, so that these answers have the form of all errors. */
export function unknownRoute(routes: readonly Route[]): Route {
  return defineRoute({
    name: 'zz-unknown-route',
    method: 'GET',
    path: '/{*path}',
    tag: 'Other',
    summary: 'Whatever is not a route',
    permission: { kind: 'public' },
    audit: 'none',
    responses: {},
    errors: ['route_not_found', 'method_not_allowed'],
    handle: async (_broker, { raw }) => {
      throw refusal(routes, raw);
    },
  });
}

function refusal(routes: readonly Route[], request: HttpRequest): BrokerError {
  const path = `/${(request.params.path ?? '').replace(/\/+$/, '')}`;
  const allowed = new Set(routes.filter((route) => matches(route.path, path)).map(({ method }) => method));
  if (allowed.size === 0) return new BrokerError('route_not_found', 'There is no such route. See /api/docs.');
  const methods = [...allowed];
  return new BrokerError('method_not_allowed', `This route takes ${methods.join(', ')}.`, {
    extra: { allowed_methods: methods },
  });
}

function matches(template: string, path: string): boolean {
  const wanted = template.split('/');
  const given = path.split('/');
  return (
    wanted.length === given.length &&
    wanted.every((part, index) => part.startsWith('{') || part.toLowerCase() === given[index]?.toLowerCase())
  );
}
