import type { OwnAnswers } from './own-answers.ts';

const at = 'at-1';
const rt = 'rt-1';
const wait = { 'retry-after': '60' };

/** Answers of the others, as far as the facts tell of them. */
export const listedAnswers: Readonly<Record<string, OwnAnswers>> = {
  asana: {
    issued: [
      { access_token: at, refresh_token: rt, expires_in: 3600, token_type: 'bearer', data: { id: 1, name: 'A' } },
      { lifeSeconds: 3600, scopes: null, metadata: { data: { id: 1, name: 'A' } } },
    ],
  },
  auth0: { dead: [403, { error: 'invalid_grant', error_description: 'Unknown or invalid refresh token.' }] },
  bitbucket: {
    issued: [
      { access_token: at, refresh_token: rt, expires_in: 7200, scopes: 'account team', token_type: 'bearer' },
      { lifeSeconds: 7200, scopes: 'account team' },
    ],
  },
  calendly: {
    issued: [
      {
        access_token: at,
        refresh_token: rt,
        token_type: 'Bearer',
        expires_in: 7200,
        created_at: 1,
        owner: 'https://api.calendly.com/users/A',
      },
      { lifeSeconds: 7200, scopes: null, account: 'https://api.calendly.com/users/A' },
    ],
  },
  discord: {
    issued: [
      {
        access_token: at,
        refresh_token: rt,
        token_type: 'Bearer',
        expires_in: 604_800,
        scope: 'bot',
        guild: { id: 'G' },
      },
      { lifeSeconds: 604_800, scopes: 'bot', metadata: { guild: { id: 'G' } } },
    ],
    limited: [429, { message: 'You are being rate limited.', retry_after: 59.2, global: false }, wait],
  },
  facebook: {
    stranger: [400, { error: { message: 'Error validating client secret.', type: 'invalid_client', code: 1 } }],
  },
  fitbit: {
    dead: [400, { errors: [{ errorType: 'invalid_grant', message: 'Refresh token invalid' }], success: false }],
    stranger: [
      401,
      { errors: [{ errorType: 'invalid_client', message: 'Invalid authorization header' }], success: false },
    ],
  },
  intercom: {
    issued: [
      { token: at, access_token: at, token_type: 'Bearer' },
      { lifeSeconds: null, refresh: null, scopes: null },
    ],
  },
  linkedin: {
    issued: [
      {
        access_token: at,
        expires_in: 5_184_000,
        refresh_token: rt,
        refresh_token_expires_in: 31_536_000,
        scope: 'email,openid',
      },
      { lifeSeconds: 5_184_000, scopes: 'email,openid' },
    ],
  },
  mailchimp: {
    issued: [
      { access_token: at, expires_in: 0, scope: null },
      { lifeSeconds: null, refresh: null, scopes: null },
    ],
  },
  reddit: { dead: [200, { error: 'invalid_grant' }] },
  square: {
    issued: [
      {
        access_token: at,
        token_type: 'bearer',
        expires_at: '2026-02-11T10:00:00Z',
        merchant_id: 'M',
        refresh_token: rt,
      },
      { lifeSeconds: 2_592_000, scopes: null, metadata: { merchant_id: 'M' } },
    ],
  },
  strava: {
    issued: [
      {
        token_type: 'Bearer',
        expires_at: 1_768_233_600,
        expires_in: 21_600,
        refresh_token: rt,
        access_token: at,
        athlete: { id: 1 },
      },
      { lifeSeconds: 21_600, scopes: null },
    ],
  },
  'stripe-app': {
    issued: [
      {
        access_token: at,
        livemode: false,
        refresh_token: rt,
        scope: 'stripe_apps',
        stripe_user_id: 'acct_1',
        token_type: 'bearer',
      },
      { lifeSeconds: 3600, scopes: 'stripe_apps' },
    ],
  },
  tiktok: {
    issued: [
      {
        access_token: at,
        expires_in: 86_400,
        open_id: 'O',
        refresh_expires_in: 31_536_000,
        refresh_token: rt,
        scope: 'user.info.basic,video.list',
        token_type: 'Bearer',
      },
      { lifeSeconds: 86_400, scopes: 'user.info.basic,video.list' },
    ],
    dead: [200, { error: 'invalid_grant', error_description: 'Refresh token is invalid or expired.', log_id: 'L' }],
  },
  zoho: {
    issued: [
      {
        access_token: at,
        refresh_token: rt,
        api_domain: 'https://www.zohoapis.com',
        token_type: 'Bearer',
        expires_in: 3600,
      },
      { lifeSeconds: 3600, scopes: null, metadata: { api_domain: 'https://www.zohoapis.com' } },
    ],
    dead: [200, { error: 'invalid_code' }],
    stranger: [200, { error: 'invalid_client_secret' }],
    limited: [
      400,
      { error: 'Access Denied', error_description: 'You have made too many requests continuously.' },
      wait,
    ],
  },
};
