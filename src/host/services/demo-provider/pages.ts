import { createHash } from 'node:crypto';

const style = `
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; background: #f3f4f6; color: #1f2933; }
main { max-width: 24rem; margin: 12vh auto 0; padding: 2rem; background: #fff; border: 1px solid #d9dee4; border-radius: .5rem; }
h1 { font-size: 1.25rem; margin: 0 0 1rem; }
label { display: block; font-weight: 600; }
input { box-sizing: border-box; width: 100%; margin: .25rem 0 1rem; padding: .5rem; font: inherit; border: 1px solid #8a94a0; border-radius: .25rem; }
input[type=radio], input[type=checkbox] { width: auto; margin: 0 .25rem 0 0; }
button { font: inherit; padding: .5rem 1rem; border: 1px solid #1d4ed8; border-radius: .25rem; background: #1d4ed8; color: #fff; cursor: pointer; }
button.quiet { background: #fff; color: #1d4ed8; }
.note { color: #52606d; font-size: .875rem; }
.error { color: #b42318; }
`;

/** Headers of every page: nothing is loaded, framed or kept. No form-action: it would block the redirect to the client. */
export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

/** Text made safe for an element or a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

export interface SignInPage {
  readonly action: string;
  readonly client: string;
  readonly login: string;
  readonly error?: string;
}

export function signInPage({ action, client, login, error }: SignInPage): string {
  return page(
    'Sign in',
    `<p>to go on to <strong>${escapeHtml(client)}</strong></p>
${error === undefined ? '' : `<p class="error" role="alert">${escapeHtml(error)}</p>`}
<form method="post" action="${escapeHtml(action)}" autocomplete="off">
<label for="login">Name</label>
<input id="login" name="login" value="${escapeHtml(login)}" required autofocus maxlength="64">
<button name="decision" value="sign-in">Sign in</button>
<button class="quiet" name="decision" value="deny" formnovalidate>Cancel</button>
</form>
<p class="note">This is a demo server. Any name signs in; there is no password.</p>`,
  );
}

export interface ConsentPage {
  readonly action: string;
  readonly client: string;
  readonly account: string;
  readonly scopes: readonly string[];
}

export function consentPage({ action, client, account, scopes }: ConsentPage): string {
  const items = scopes.map((scope) => `<li>${escapeHtml(scopeLabels[scope] ?? scope)}</li>`).join('\n');
  return page(
    'Allow access?',
    `<p><strong>${escapeHtml(client)}</strong> asks <strong>${escapeHtml(account)}</strong> for permission to:</p>
<ul>
${items === '' ? '<li>know that you signed in</li>' : items}
</ul>
<form method="post" action="${escapeHtml(action)}">
<button name="decision" value="allow">Allow</button>
<button class="quiet" name="decision" value="deny">Deny</button>
</form>`,
  );
}

export function errorPage(message: string): string {
  return page('This did not work', `<p>${escapeHtml(message)}</p>`);
}

const scopeLabels: Readonly<Record<string, string>> = {
  openid: 'know who you are',
  offline_access: 'keep access while you are away',
  profile: 'see your name',
  email: 'see your e-mail address',
  read: 'read your data',
  write: 'change your data',
};

/** A whole page. `title` and `body` are HTML. */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`;
}
