import { createHash } from 'node:crypto';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text that is HTML already. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A template whose values are escaped, unless they are HTML already. */
export function html(parts: TemplateStringsArray, ...values: readonly (string | Html | readonly Html[])[]): Html {
  return new Html(parts.reduce((text, part, index) => text + textOf(values[index - 1] ?? '') + part));
}

function textOf(value: string | Html | readonly Html[]): string {
  if (value instanceof Html) return value.text;
  if (typeof value === 'string') return value.replace(/[&<>"']/g, (character) => entities[character] ?? '');
  return value.map((item) => item.text).join('');
}

const style = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 3rem 1.25rem; max-width: 42rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .4rem 1rem; margin: 1.5rem 0; }
dt { opacity: .7; } dd { margin: 0; overflow-wrap: anywhere; }
.go { display: inline-block; padding: .6rem 1.1rem; border-radius: .4rem; background: #0b5cad; color: #fff; text-decoration: none; }
.small { font-size: .85rem; opacity: .75; overflow-wrap: anywhere; }
code { font-family: ui-monospace, monospace; font-size: .9em; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; }
`;

const styleHash = createHash('sha256').update(style).digest('base64');

/** A whole page. Nothing in it loads from anywhere, and no script runs (the policy names the one style it has). */
export function page(
  title: string,
  body: Html,
): { readonly html: string; readonly headers: Readonly<Record<string, string>> } {
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body>
${body}
</body>
</html>
`;
  return {
    html: document.text,
    headers: {
      'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`,
    },
  };
}
