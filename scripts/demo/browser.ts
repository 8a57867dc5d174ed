import { expectThat } from './step-failure.ts';

const mostSteps = 20;

interface Page {
  readonly url: URL;
  readonly status: number;
  readonly html: string;
}

/** A browser without a screen: it keeps cookies, follows redirects, and answers the demo server's two forms. */
export interface Browser {
  /** Opens a page, redirects followed. */
  open(url: string): Promise<Page>;
  /** Answers the form on a page. */
  submit(page: Page, fields: Readonly<Record<string, string>>): Promise<Page>;
}

export function createBrowser(): Browser {
  const cookies = new Map<string, string>();

  async function send(url: URL, body?: URLSearchParams): Promise<Response> {
    const cookie = [...cookies.values()].join('; ');
    const response = await fetch(url, {
      redirect: 'manual',
      headers: cookie === '' ? {} : { cookie },
      ...(body !== undefined && { method: 'POST', body }),
    });
    // Every server of the demo is on 127.0.0.1, and cookies know nothing of ports.
    for (const line of response.headers.getSetCookie()) {
      const pair = line.split(';', 1)[0] ?? '';
      cookies.set(pair.slice(0, pair.indexOf('=')), pair);
    }
    return response;
  }

  async function follow(first: URL, body?: URLSearchParams): Promise<Page> {
    let url = first;
    let response = await send(url, body);
    for (let steps = 0; steps < mostSteps; steps += 1) {
      const location = response.headers.get('location');
      const html = await response.text();
      if (location === null) return { url, status: response.status, html };
      url = new URL(location, url);
      response = await send(url);
    }
    throw new Error(`more than ${mostSteps} redirects from ${first.origin}`);
  }

  return {
    open: (url) => follow(new URL(url)),
    submit: (page, fields) => {
      const action = /<form[^>]*action="([^"]+)"/.exec(page.html)?.[1];
      expectThat(action !== undefined, `there is no form at ${page.url.origin}${page.url.pathname}`);
      return follow(new URL(unescapeHtml(action), page.url), new URLSearchParams(fields));
    },
  };
}

/** The first link of a page. */
export function linkOf({ html, url }: Page): string {
  const href = /<a [^>]*href="([^"]+)"/.exec(html)?.[1];
  expectThat(href !== undefined, `there is no link at ${url.origin}`);
  return unescapeHtml(href);
}

/** What a page says first. */
export function headingOf({ html }: Page): string {
  const heading = /<h1>(.*?)<\/h1>/s.exec(html)?.[1] ?? '';
  return unescapeHtml(heading);
}

function unescapeHtml(text: string): string {
  return text
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}
