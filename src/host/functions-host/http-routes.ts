import type { AppFunction } from './app-functions.ts';

export interface HttpRoute {
  readonly target: AppFunction;
  /** The route as the app wrote it, without the prefix. */
  readonly template: string;
  readonly methods: readonly string[];
  readonly needsKey: boolean;
  readonly segments: readonly Segment[];
}

export interface RouteMatch {
  readonly route: HttpRoute;
  readonly params: Readonly<Record<string, string>>;
}

type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'param'; readonly name: string; readonly pattern: RegExp | undefined; readonly optional: boolean }
  | { readonly kind: 'rest'; readonly name: string };

const constraints: Readonly<Record<string, RegExp>> = {
  int: /^-?\d{1,10}$/,
  long: /^-?\d{1,19}$/,
  bool: /^(true|false)$/i,
  alpha: /^[a-z]*$/i,
  guid: /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i,
};

/** Reads the routes of HTTP functions, in the order given. Throws for a template that this host cannot read. */
export function compileRoutes(functions: readonly AppFunction[], routePrefix: string): readonly HttpRoute[] {
  return functions
    .filter((candidate) => candidate.trigger === 'http')
    .map((target) => {
      const template = routeTemplate(target);
      const methods = (target.binding.methods as readonly string[]).map((method) => method.toUpperCase());
      const needsKey = String(target.binding.authLevel).toLowerCase() !== 'anonymous';
      const whole = [routePrefix, template].filter((part) => part !== '').join('/');
      return { target, template, methods, needsKey, segments: compileTemplate(whole, target.name) };
    });
}

/**
 * The first route in order whose method and path both fit. A path that only fits with another method counts as
 * unknown, as it does in the real host.
 */
export function matchRoute(routes: readonly HttpRoute[], method: string, path: string): RouteMatch | undefined {
  const parts = path.replace(/^\//, '').replace(/\/$/, '').split('/');
  for (const route of routes) {
    if (route.methods.includes(method)) {
      const params = matchSegments(route.segments, parts);
      if (params !== undefined) {
        return { route, params };
      }
    }
  }
  return undefined;
}

/**
 * Decodes a path once, except for `%2F`, which stays as it is: the real host's server does the same, so a slash never
 * appears inside a parameter. Gives undefined for a malformed escape and for a NUL.
 */
export function decodePath(rawPath: string): string | undefined {
  try {
    const decoded = rawPath
      .split(/(%2f)/i)
      .map((piece) => (/^%2f$/i.test(piece) ? piece : decodeURIComponent(piece)))
      .join('');
    return decoded.includes('\0') ? undefined : decoded;
  } catch {
    return undefined;
  }
}

function routeTemplate(target: AppFunction): string {
  const { route } = target.binding;
  const template = typeof route === 'string' && route !== '' ? route : target.name;
  if (template.startsWith('/')) {
    throw new Error(`The route of function "${target.name}" begins with "/": the real host refuses that.`);
  }
  return template;
}

function compileTemplate(template: string, functionName: string): readonly Segment[] {
  const parts = template.split('/');
  return parts.map((part, index) => {
    const segment = compileSegment(part);
    const misplaced = index < parts.length - 1 && (segment?.kind === 'rest' || isOptional(segment));
    if (segment === undefined || misplaced) {
      throw new Error(`The route of function "${functionName}" has a part that this host cannot read: "${part}".`);
    }
    return segment;
  });
}

function compileSegment(part: string): Segment | undefined {
  if (!/[{}]/.test(part)) {
    return { kind: 'literal', text: part.toLowerCase() };
  }
  const rest = /^\{\*{1,2}(\w+)\}$/.exec(part)?.[1];
  if (rest !== undefined) {
    return { kind: 'rest', name: rest };
  }
  const [, name, constraint, optional] = /^\{(\w+)(?::(\w+))?(\?)?\}$/.exec(part) ?? [];
  const pattern = constraint === undefined ? undefined : constraints[constraint];
  if (name === undefined || (constraint !== undefined && pattern === undefined)) {
    return undefined;
  }
  return { kind: 'param', name, pattern, optional: optional !== undefined };
}

function isOptional(segment: Segment | undefined): boolean {
  return segment?.kind === 'param' && segment.optional;
}

function matchSegments(
  segments: readonly Segment[],
  parts: readonly string[],
): Readonly<Record<string, string>> | undefined {
  const params: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const part = parts[index];
    if (segment.kind === 'rest') {
      const rest = parts.slice(index).join('/');
      return rest === '' ? params : { ...params, [segment.name]: rest };
    }
    if (part === undefined && isOptional(segment)) {
      return params;
    }
    if (part === undefined || !fits(segment, part)) {
      return undefined;
    }
    if (segment.kind === 'param') {
      params[segment.name] = part;
    }
  }
  return parts.length === segments.length ? params : undefined;
}

function fits(segment: Exclude<Segment, { kind: 'rest' }>, part: string): boolean {
  if (segment.kind === 'literal') {
    return part.toLowerCase() === segment.text;
  }
  return part !== '' && (segment.pattern === undefined || segment.pattern.test(part));
}
