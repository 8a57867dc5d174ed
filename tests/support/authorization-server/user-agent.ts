/** Cookies by host and path, as a browser keeps them. */
export interface CookieJar {
  header(url: URL): string;
  store(url: URL, setCookies: readonly string[]): void;
}

export interface Page {
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  /** Where a redirect points, not followed. */
  readonly location: URL | null;
  readonly html: string;
}

export interface SignInOptions {
  /** Who signs in. Default: alice. */
  readonly login?: string;
  /** Refuse on the consent page. */
  readonly deny?: boolean;
  /** Where to stop: the start of a URL, or a test of it. Default: the start URL's `redirect_uri`. */
  readonly stopAt?: string | ((url: URL) => boolean);
}

/** A browser without a screen: one cookie jar, forms posted, redirects followed one by one. */
export interface UserAgent {
  readonly jar: CookieJar;
  /** One GET, no redirect followed. */
  open(url: string | URL): Promise<Page>;
  /** Signs in and answers the consent page. Resolves to the redirect to the client, not followed. */
  browse(startUrl: string | URL, options?: SignInOptions): Promise<URL>;
  /** A GET with the jar, redirects followed: to go on into the client's own callback. */
  followTo(url: string | URL): Promise<Page>;
}

const maxHops = 20;

export function createCookieJar(): CookieJar {
  const cookies = new Map<string, { host: string; path: string; pair: string }>();
  return {
    header: (url) =>
      [...cookies.values()]
        .filter(({ host, path }) => host === url.hostname && url.pathname.startsWith(path))
        .map(({ pair }) => pair)
        .join('; '),
    store: (url, setCookies) => {
      for (const line of setCookies) {
        const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
        const attribute = (name: string): string | undefined =>
          attributes.find((text) => text.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1);
        const path = attribute('path') ?? '/';
        const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
        const key = JSON.stringify([url.hostname, path, name]);
        const expires = attribute('expires');
        const lapsed = attribute('max-age') === '0' || (expires !== undefined && Date.parse(expires) <= Date.now());
        if (value === '' || lapsed) cookies.delete(key);
        else cookies.set(key, { host: url.hostname, path, pair });
      }
    },
  };
}

export function createUserAgent(jar: CookieJar = createCookieJar()): UserAgent {
  const request = async (url: URL, form?: URLSearchParams): Promise<Page> => {
    const cookie = jar.header(url);
    const response = await fetch(url, {
      redirect: 'manual',
      headers: cookie === '' ? {} : { cookie },
      ...(form === undefined ? {} : { method: 'POST', body: form }),
    });
    jar.store(url, response.headers.getSetCookie());
    const location = response.headers.get('location');
    return {
      url,
      status: response.status,
      headers: response.headers,
      location: location === null ? null : new URL(location, url),
      html: await response.text(),
    };
  };

  return {
    jar,
    open: (url) => request(new URL(url)),
    browse: async (startUrl, { login = 'alice', deny = false, stopAt } = {}) => {
      const stops = stopTest(new URL(startUrl), stopAt);
      let page = await request(new URL(startUrl));
      for (let hop = 0; hop < maxHops; hop += 1) {
        if (page.location !== null) {
          if (stops(page.location)) return page.location;
          page = await request(page.location);
          continue;
        }
        const form = formOf(page);
        const isSignIn = form.fields.includes('login');
        const answer = isSignIn ? { login, decision: 'sign-in' } : { decision: deny ? 'deny' : 'allow' };
        page = await request(form.action, new URLSearchParams(answer));
      }
      throw new Error(`more than ${maxHops} steps from ${startUrl}`);
    },
    followTo: async (url) => {
      let page = await request(new URL(url));
      for (let hop = 0; page.location !== null && hop < maxHops; hop += 1) page = await request(page.location);
      return page;
    },
  };
}

/** Signs in with a browser of its own. Resolves to the redirect to the client, not followed. */
export function browse(startUrl: string | URL, options?: SignInOptions): Promise<URL> {
  return createUserAgent().browse(startUrl, options);
}

function stopTest(start: URL, stopAt: SignInOptions['stopAt']): (url: URL) => boolean {
  if (typeof stopAt === 'function') return stopAt;
  const beginning = stopAt ?? start.searchParams.get('redirect_uri');
  if (beginning === null) throw new Error('name stopAt: the start URL has no redirect_uri');
  return (url) => url.href.startsWith(beginning);
}

function formOf(page: Page): { action: URL; fields: string[] } {
  const form = /<form[^>]*action="([^"]+)"[^>]*>([\s\S]*?)<\/form>/.exec(page.html);
  if (form?.[1] === undefined || form[2] === undefined) {
    const text = page.html.replace(/<style>[\s\S]*?<\/style>|<[^>]+>|\s+/g, ' ').slice(-300);
    throw new Error(`no form to answer at ${page.status} ${page.url.origin}${page.url.pathname}: ${text}`);
  }
  const action = form[1].replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
  return { action: new URL(action, page.url), fields: [...form[2].matchAll(/name="([^"]+)"/g)].map((m) => m[1] ?? '') };
}
