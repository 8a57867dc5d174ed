import type { Failure, Fields, StandInAnswer } from '../../../providers/stand-ins/stand-in.ts';
import type { Exchange, HttpAnswer, Refusal } from './exchange.ts';

const told = (status: number, error: string, headers?: Readonly<Record<string, string>>): StandInAnswer => ({
  status,
  body: { error },
  ...(headers && { headers }),
});

/** RFC 6749 section 5.2, RFC 6750 section 3.1 and RFC 8628 section 3.5. */
const standardFailures: Readonly<Record<Failure, StandInAnswer>> = {
  invalid_client: told(401, 'invalid_client'),
  invalid_code: told(400, 'invalid_grant'),
  invalid_refresh_token: told(400, 'invalid_grant'),
  invalid_assertion: told(400, 'invalid_grant'),
  redirect_mismatch: told(400, 'invalid_grant'),
  invalid_request: told(400, 'invalid_request'),
  invalid_scope: told(400, 'invalid_scope'),
  unsupported_grant_type: told(400, 'unsupported_grant_type'),
  authorization_pending: told(400, 'authorization_pending'),
  access_denied: told(400, 'access_denied'),
  expired_device_code: told(400, 'expired_token'),
  invalid_token: told(401, 'invalid_token', { 'www-authenticate': 'Bearer error="invalid_token"' }),
  rate_limited: told(429, 'too_many_requests', { 'retry-after': '30' }),
  unavailable: told(503, 'temporarily_unavailable'),
};

/** A refusal in the provider's own words. */
export function refused(exchange: Exchange, { failure, message }: Refusal): HttpAnswer {
  const { status, body, headers = {} } = exchange.standIn.failures?.[failure] ?? standardFailures[failure];
  return answered(exchange, status, body, { ...headers, 'x-stand-in-detail': message });
}

/** JSON, or a form from providers that send forms to whoever does not ask for JSON. */
export function answered(
  { standIn, headers: { accept = '' } }: Pick<Exchange, 'standIn' | 'headers'>,
  status: number,
  body: Fields,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  const isForm = standIn.formUnlessJsonAccepted === true && !accept.includes('json');
  const fields = Object.entries(body).map(([name, value]) => [name, String(value)] as [string, string]);
  return {
    status,
    headers: {
      'content-type': isForm ? 'application/x-www-form-urlencoded; charset=utf-8' : 'application/json',
      'cache-control': 'no-store',
      ...headers,
    },
    body: status === 204 ? '' : isForm ? new URLSearchParams(fields).toString() : JSON.stringify(body),
  };
}
