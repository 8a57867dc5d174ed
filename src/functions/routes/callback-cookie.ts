import type { Cookie } from '@azure/functions';
import type { Secret } from '../../domain/secret.ts';
import type { Transaction } from '../../domain/transaction.ts';

/** Each transaction has a cookie of its own, so that several may be under way in one browser. */
function cookieName({ stateHash }: Transaction): string {
  return `__Host-bowline-${stateHash.slice(0, 16)}`;
}

/** `Lax`, for the provider's redirect back is a navigation from another site; `Strict` would not be sent there. */
export function bindingCookie(transaction: Transaction, browserKey: Secret, maxAgeSeconds: number): Cookie {
  const attributes = { path: '/', secure: true, httpOnly: true, sameSite: 'Lax' } as const;
  return { name: cookieName(transaction), value: browserKey.reveal(), maxAge: maxAgeSeconds, ...attributes };
}

/** The value of this transaction's cookie in a `Cookie` header. */
export function bindingCookieValue(header: string | null, transaction: Transaction): string | undefined {
  const prefix = `${cookieName(transaction)}=`;
  const found = (header ?? '')
    .split(';')
    .map((part) => part.trim())
    .find((part) => part.startsWith(prefix));
  return found?.slice(prefix.length);
}
