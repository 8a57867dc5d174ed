import { Secret } from '../../domain/secret.ts';
import type { FinishedAuthorization } from '../../usecases/authorization/callback.ts';
import { type Answer, defineRoute } from '../http/route.ts';
import { callbackPage } from '../pages/callback-page.ts';
import { connectionParams } from '../schemas/fields.ts';
import { bindingCookie, bindingCookieValue } from './callback-cookie.ts';

export const callbackGet = defineRoute({
  name: 'callback-get',
  method: 'GET',
  path: '/oauth/callback/{connection_name}',
  tag: 'Authorization',
  summary: 'Where the provider sends the browser back',
  permission: { kind: 'public' },
  audit: 'authorization.finish',
  isPage: true,
  request: { params: connectionParams },
  responses: {
    200: { description: 'A page that says what became of it', isPage: true },
    303: { description: 'On to `return_url`, with `connection`, `status` and `status_reason`' },
  },
  errors: ['transaction_invalid', 'callback_rejected'],
  handle: async (broker, { params, raw }) => {
    const cookies = raw.headers.get('cookie');
    const finished = await broker.finishAuthorization({
      connection: params.connection_name,
      parameters: new URL(raw.url).searchParams,
      browserKey: (transaction) => bindingCookieValue(cookies, transaction),
    });
    const expired = bindingCookie(finished.transaction, new Secret(''), 0);
    return { ...answerOf(finished), cookies: [expired] };
  },
});

function answerOf(finished: FinishedAuthorization): Answer {
  const { transaction, status, statusReason } = finished;
  if (transaction.returnUrl === null) return { status: status === 'completed' ? 200 : 400, ...callbackPage(finished) };
  const url = new URL(transaction.returnUrl);
  url.searchParams.set('connection', transaction.connection);
  url.searchParams.set('status', status);
  url.searchParams.delete('status_reason');
  if (statusReason !== null) url.searchParams.set('status_reason', statusReason);
  return { status: 303, headers: { location: url.href } };
}
