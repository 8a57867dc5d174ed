import type { Secret } from '../domain/secret.ts';

const longestText = 200;
const shortestSecret = 4;
// Control characters, line separators, and the marks that turn the direction of text around.
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;

const longWord = /[\w.~+/=%-]{20,}/g;

/**
 * A provider's text made fit for a log: at most 200 characters on one line, and without the secrets of the request,
 * which some providers repeat in their error descriptions, or anything else that looks like one.
 */
export function cleanText(text: string, secrets: readonly Secret[] = []): string {
  const hidden = secrets
    .map((secret) => secret.reveal())
    .filter((secret) => secret.length >= shortestSecret)
    .flatMap((secret) => [secret, encodeURIComponent(secret)])
    .reduce((rest, secret) => rest.replaceAll(secret, '[secret]'), text);
  const line = hidden.replace(unprintable, ' ').replace(longWord, hideSecretLike).trim().toWellFormed();
  const characters = Array.from(line.slice(0, 2 * longestText));
  return characters.length > longestText ? `${characters.slice(0, longestText - 1).join('')}…` : characters.join('');
}

/** What is long and no plain word may be a token or a secret, of this request or of another. */
function hideSecretLike(word: string): string {
  return /[\dA-Z]/.test(word) ? '[hidden]' : word;
}

/** What a provider said about a failure, for the log only: its error code and its description. */
export function describeProviderError(
  said: { readonly error: string | null; readonly description: string | null },
  secrets: readonly Secret[] = [],
): string {
  return cleanText([said.error, said.description].filter((text) => text !== null && text !== '').join(': '), secrets);
}
