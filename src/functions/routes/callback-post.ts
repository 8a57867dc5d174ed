import { BrokerError } from '../../domain/errors.ts';
import { defineRoute } from '../http/route.ts';
import { connectionParams } from '../schemas/fields.ts';

const longestQuery = 8192;

export const callbackPost = defineRoute({
  name: 'callback-post',
  method: 'POST',
  path: '/oauth/callback/{connection_name}',
  tag: 'Authorization',
  summary: 'The same for providers that answer with a form: back to GET, to which the browser sends its cookie',
  permission: { kind: 'public' },
  audit: 'none',
  isPage: true,
  request: { params: connectionParams },
  responses: { 303: { description: 'The same URL with the fields in the query' } },
  errors: ['transaction_invalid', 'payload_too_large'],
  handle: async (broker, { params, raw }) => {
    const fields = new URLSearchParams(await raw.text()).toString();
    if (fields.length > longestQuery) throw new BrokerError('payload_too_large', 'The provider sent too much.');
    const location = `${broker.policy.publicBaseUrl}/api/oauth/callback/${params.connection_name}?${fields}`;
    return { status: 303, headers: { location } };
  },
});
