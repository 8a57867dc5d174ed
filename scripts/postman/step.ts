import {
  apiKeyAuth,
  apiUrl,
  jsonBody,
  jsonHeader,
  noAuth,
  organisationHeader,
  type PostmanBody,
  type PostmanItem,
  type PostmanScript,
  type PostmanUrl,
} from './format.ts';

/** What a request of the story must come to, as lines of script. `status` is checked first. */
export interface Expectation {
  readonly name: string;
  readonly status: number | readonly number[];
  /** Statements of Postman's sandbox: `answer` is the JSON that came, `pm.expect` is chai's. */
  readonly checks?: readonly string[];
  /** Statements that keep something for a later request. */
  readonly keeps?: readonly string[];
}

interface ApiStep extends Expectation {
  /** Default: the administrator's key. Null: none. */
  readonly key?: string | null;
  readonly body?: unknown;
  readonly query?: Readonly<Record<string, string>>;
  readonly workflow?: string;
}

/** A call of Bowline's API, with a test of what came back. `call` is `METHOD /path`. */
export function apiStep(call: string, { key, body, query = {}, workflow, ...expected }: ApiStep): PostmanItem {
  const [method = 'GET', path = '/'] = call.split(' ');
  const fields = Object.entries(query).map(([name, value]) => ({ key: name, value }));
  return {
    name: expected.name,
    event: [testScript(expected, 'json')],
    request: {
      method,
      ...(key === null && { auth: noAuth }),
      ...(typeof key === 'string' && { auth: apiKeyAuth(key) }),
      header: [
        ...(body === undefined ? [] : [jsonHeader]),
        organisationHeader,
        ...(workflow === undefined ? [] : [{ key: 'X-Workflow-Id', value: workflow }]),
      ],
      url: apiUrl(path, fields.length === 0 ? {} : { query: fields }),
      ...(body !== undefined && { body: jsonBody(body) }),
    },
  };
}

interface PageStep extends Expectation {
  /** Whole, or a variable that holds it. */
  readonly url: string;
  /** Posted as a form. Left out: a GET. */
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default true. False: where it leads is for the next request. */
  readonly followRedirects?: boolean;
}

/** A request that a browser or a workflow sends elsewhere. Postman's cookie jar keeps the sign-in. */
export function pageStep({ url, form, headers = {}, followRedirects = true, ...expected }: PageStep): PostmanItem {
  return {
    name: expected.name,
    event: [testScript(expected, 'text')],
    ...(!followRedirects && { protocolProfileBehavior: { followRedirects } }),
    request: {
      method: form === undefined ? 'GET' : 'POST',
      auth: noAuth,
      header: Object.entries(headers).map(([key, value]) => ({ key, value })),
      url: wholeUrl(url),
      ...(form !== undefined && { body: formBody(form) }),
    },
  };
}

function wholeUrl(url: string): PostmanUrl {
  const [host = '', ...path] = url.split('/');
  return { raw: url, host: [host], ...(path.length > 0 && { path }) };
}

function formBody(form: Readonly<Record<string, string>>): PostmanBody {
  return { mode: 'urlencoded', urlencoded: Object.entries(form).map(([key, value]) => ({ key, value })) };
}

function testScript(expected: Expectation, kind: 'json' | 'text'): PostmanScript {
  const { name, status, checks = [], keeps = [] } = expected;
  const read = kind === 'json' ? 'pm.response.text() === "" ? null : pm.response.json()' : 'pm.response.text()';
  return {
    listen: 'test',
    script: {
      type: 'text/javascript',
      exec: [
        `pm.test(${JSON.stringify(name)}, () => {`,
        `  pm.expect(pm.response.code, pm.response.text()).to.be.oneOf(${JSON.stringify([status].flat())});`,
        ...(checks.length + keeps.length === 0 ? [] : [`  const answer = ${read};`]),
        ...[...checks, ...keeps].map((line) => `  ${line}`),
        '});',
      ],
    },
  };
}
