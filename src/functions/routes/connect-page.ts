import { z } from 'zod';
import { Secret } from '../../domain/secret.ts';
import { transactionLifeMs } from '../../domain/transaction.ts';
import { defineRoute } from '../http/route.ts';
import { connectPage as renderPage } from '../pages/connect-page.ts';
import { bindingCookie } from './callback-cookie.ts';

const token = z
  .string()
  .min(1)
  .max(200)
  .transform((text) => new Secret(text))
  .meta({ description: 'The token of a connect link', example: 'the-token-in-connect_url' });

export const connectPage = defineRoute({
  name: 'connect-page',
  method: 'GET',
  path: '/connect/{token}',
  tag: 'Authorization',
  summary: 'The page that says who asks for what, and goes on to the provider',
  permission: { kind: 'public' },
  audit: 'authorization.open',
  isPage: true,
  request: { params: z.strictObject({ token }) },
  responses: { 200: { description: 'The page. It binds the authorization to this browser', isPage: true } },
  errors: [
    'connect_link_invalid',
    'provider_rejected_client',
    'provider_rejected_request',
    'provider_unavailable',
    'provider_answer_invalid',
  ],
  handle: async (broker, { params }) => {
    const opened = await broker.openConnectPage(params.token);
    const cookie = bindingCookie(opened.transaction, opened.browserKey, transactionLifeMs / 1000);
    return { status: 200, ...renderPage(opened), cookies: [cookie] };
  },
});
