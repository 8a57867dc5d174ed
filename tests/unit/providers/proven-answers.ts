import type { OwnAnswers, Reply } from './own-answers.ts';

const at = 'at-1';
const rt = 'rt-1';
const wait = { 'retry-after': '60' };
const dead = (status: number, why: string): Reply => [status, { error: 'invalid_grant', error_description: why }];
const gitHub: OwnAnswers = {
  stranger: [200, { error: 'incorrect_client_credentials', error_description: 'The client_id is incorrect.' }],
  dead: [200, { error: 'bad_refresh_token', error_description: 'The refresh token passed is incorrect or expired.' }],
};
const slackNo = (error: string): Reply => [200, { ok: false, error }];
const slackInstall = { ok: true, app_id: 'A1', team: { id: 'T1', name: 'Team' }, enterprise: null };

/** Answers of the providers that must work in full. */
export const provenAnswers: Readonly<Record<string, OwnAnswers>> = {
  'adobe-ims': {
    issued: [
      { access_token: at, refresh_token: rt, token_type: 'bearer' },
      { lifeSeconds: 86_400, scopes: null },
    ],
    dead: [401, { error: 'invalid_token' }],
    stranger: [400, { error: 'invalid_client', error_description: 'invalid client_secret parameter' }],
  },
  'adobe-ims-s2s': {
    issued: [
      { access_token: at, token_type: 'bearer', expires_in: 86_399 },
      { lifeSeconds: 86_399, refresh: null, scopes: null },
    ],
  },
  atlassian: {
    dead: [403, { error: 'invalid_grant', error_description: 'Unknown or invalid refresh token.' }],
    stranger: [401, { error: 'access_denied', error_description: 'Unauthorized' }],
  },
  dropbox: {
    issued: [
      {
        access_token: at,
        token_type: 'bearer',
        expires_in: 14_400,
        refresh_token: rt,
        scope: 'a b',
        uid: '1',
        account_id: 'dbid:A',
      },
      { lifeSeconds: 14_400, scopes: 'a b', account: 'dbid:A' },
    ],
    dead: dead(400, 'refresh token is invalid or revoked'),
    stranger: [400, { error: 'invalid_client: Invalid client_id or client_secret' }],
  },
  github: {
    ...gitHub,
    issued: [
      { access_token: at, token_type: 'bearer', scope: 'repo,gist' },
      { lifeSeconds: null, refresh: null, scopes: 'repo,gist' },
    ],
  },
  'github-app-user': {
    ...gitHub,
    issued: [
      {
        access_token: at,
        token_type: 'bearer',
        scope: '',
        expires_in: 28_800,
        refresh_token: rt,
        refresh_token_expires_in: 15_897_600,
      },
      { lifeSeconds: 28_800, scopes: null },
    ],
  },
  'github-app-installation': {
    issued: [
      { token: at, expires_at: '2026-01-12T11:00:00Z', permissions: { contents: 'read' }, repository_selection: 'all' },
      { lifeSeconds: 3600, refresh: null, scopes: null, metadata: { permissions: { contents: 'read' } } },
      201,
    ],
    stranger: [401, { message: 'A JSON web token could not be decoded', status: '401' }],
    limited: [403, { message: 'You have exceeded a secondary rate limit.' }, wait],
  },
  gitlab: {
    issued: [
      { access_token: at, token_type: 'Bearer', expires_in: 7200, refresh_token: rt, created_at: 1_768_212_000 },
      { lifeSeconds: 7200, scopes: null },
    ],
    stranger: [
      401,
      { error: 'invalid_client', error_description: 'Client authentication failed.' },
      { 'www-authenticate': 'Bearer realm="Doorkeeper"' },
    ],
    limited: [429, 'Retry later', { ...wait, 'content-type': 'text/plain' }],
  },
  google: {
    issued: [
      {
        access_token: at,
        expires_in: 3599,
        refresh_token: rt,
        scope: 'openid',
        token_type: 'Bearer',
        refresh_token_expires_in: 604_799,
      },
      { lifeSeconds: 3599, scopes: 'openid', metadata: { refresh_token_expires_in: 604_799 } },
    ],
    refreshed: { access_token: at, expires_in: 3599, scope: 'openid', token_type: 'Bearer' },
    dead: dead(400, 'Token has been expired or revoked.'),
    stranger: [401, { error: 'deleted_client', error_description: 'The OAuth client was deleted.' }],
    limited: [
      429,
      { error: { code: 429, message: 'Resource has been exhausted.', status: 'RESOURCE_EXHAUSTED' } },
      wait,
    ],
  },
  'google-service-account': {
    issued: [
      { access_token: at, expires_in: 3599, token_type: 'Bearer' },
      { lifeSeconds: 3599, refresh: null, scopes: null },
    ],
  },
  hubspot: {
    issued: [
      { token_type: 'bearer', access_token: at, refresh_token: rt, expires_in: 1800, hub_id: 4711, user_id: 1 },
      { lifeSeconds: 1800, scopes: null, account: '4711', metadata: { hub_id: 4711 } },
    ],
    dead: [400, { status: 'BAD_REFRESH_TOKEN', message: 'missing or invalid refresh token', correlationId: 'c' }],
    stranger: [400, { status: 'BAD_CLIENT_SECRET', message: 'missing or invalid client secret', correlationId: 'c' }],
    limited: [429, { status: 'error', errorType: 'RATE_LIMIT', message: 'limit', policyName: 'SECONDLY' }, wait],
  },
  linear: {
    issued: [
      { access_token: at, token_type: 'Bearer', expires_in: 86_399, refresh_token: rt, scope: 'read write' },
      { lifeSeconds: 86_399, scopes: 'read write' },
    ],
  },
  microsoft: {
    issued: [
      {
        token_type: 'Bearer',
        scope: 'User.Read',
        expires_in: 4711,
        ext_expires_in: 4711,
        access_token: at,
        refresh_token: rt,
      },
      { lifeSeconds: 4711, scopes: 'User.Read', metadata: { ext_expires_in: 4711 } },
    ],
    dead: [
      400,
      {
        error: 'invalid_grant',
        error_description: 'AADSTS700082: The refresh token has expired.',
        error_codes: [700082],
      },
    ],
    stranger: [
      401,
      { error: 'invalid_client', error_description: 'AADSTS7000222: The secret has expired.', error_codes: [7000222] },
    ],
    limited: [429, { error: 'temporarily_unavailable', error_codes: [90055] }, wait],
  },
  notion: {
    issued: [
      {
        access_token: at,
        token_type: 'bearer',
        refresh_token: rt,
        bot_id: 'B',
        workspace_id: 'W',
        owner: { type: 'user' },
        duplicated_template_id: null,
      },
      { lifeSeconds: null, scopes: null, account: 'B', metadata: { workspace_id: 'W' } },
    ],
    stranger: [401, { error: 'invalid_client' }],
    limited: [
      429,
      { object: 'error', status: 429, code: 'rate_limited', message: 'You have been rate limited.' },
      wait,
    ],
  },
  quickbooks: {
    issued: [
      {
        token_type: 'bearer',
        expires_in: 3600,
        refresh_token: rt,
        x_refresh_token_expires_in: 8_726_400,
        access_token: at,
      },
      { lifeSeconds: 3600, scopes: null, metadata: { x_refresh_token_expires_in: 8_726_400 } },
    ],
    dead: dead(400, 'Incorrect or invalid refresh token'),
  },
  salesforce: {
    issued: [
      {
        access_token: at,
        refresh_token: rt,
        signature: 's',
        scope: 'refresh_token api',
        instance_url: 'https://x.my.salesforce.com',
        id: 'https://login.salesforce.com/id/1/2',
        token_type: 'Bearer',
        issued_at: '1768212000000',
      },
      {
        lifeSeconds: 3600,
        scopes: 'refresh_token api',
        account: 'https://login.salesforce.com/id/1/2',
        metadata: { instance_url: 'https://x.my.salesforce.com' },
      },
    ],
    dead: [400, { error: 'inactive_user', error_description: 'user is inactive' }],
    stranger: [400, { error: 'invalid_client_id', error_description: 'client identifier invalid' }],
    limited: [400, { error: 'rate_limit_exceeded', error_description: 'login rate exceeded' }, wait],
  },
  'salesforce-jwt': {
    issued: [
      { access_token: at, scope: 'api', instance_url: 'https://x.my.salesforce.com', id: 'I', token_type: 'Bearer' },
      { lifeSeconds: 3600, refresh: null, scopes: 'api' },
    ],
  },
  shopify: {
    issued: [
      {
        access_token: at,
        scope: 'read_orders,write_orders',
        expires_in: 3600,
        refresh_token: rt,
        refresh_token_expires_in: 7_776_000,
      },
      { lifeSeconds: 3600, scopes: 'read_orders,write_orders' },
    ],
    stranger: [
      400,
      { error: 'application_cannot_be_found', error_description: 'Could not find Shopify API application' },
    ],
    limited: [429, { errors: 'Exceeded 2 calls per second.' }, wait],
  },
  slack: {
    issued: [
      {
        ...slackInstall,
        access_token: at,
        token_type: 'bot',
        scope: 'a,b',
        bot_user_id: 'U0',
        refresh_token: rt,
        expires_in: 43_200,
        authed_user: { id: 'U1', scope: 'x', access_token: 'at-of-the-user', token_type: 'user' },
      },
      { lifeSeconds: 43_200, scopes: 'a,b', account: 'T1', metadata: { bot_user_id: 'U0' } },
    ],
    dead: slackNo('invalid_refresh_token'),
    stranger: slackNo('bad_client_secret'),
    limited: [429, { ok: false, error: 'ratelimited' }, wait],
  },
  'slack-user': {
    issued: [
      {
        ...slackInstall,
        access_token: 'at-of-the-bot',
        token_type: 'bot',
        scope: 'a',
        authed_user: {
          id: 'U1',
          scope: 'x,y',
          access_token: at,
          token_type: 'user',
          refresh_token: rt,
          expires_in: 43_200,
        },
      },
      { lifeSeconds: 43_200, scopes: 'x,y', account: 'U1' },
    ],
    refreshed: { ok: true, access_token: at, token_type: 'user', expires_in: 43_200 },
    dead: slackNo('token_revoked'),
    stranger: slackNo('invalid_client_id'),
    limited: [429, { ok: false, error: 'ratelimited' }, wait],
  },
  xero: {
    dead: [400, { error: 'invalid_grant' }],
    stranger: [400, { error: 'invalid_client' }],
    limited: [429, '', { ...wait, 'x-rate-limit-problem': 'minute' }],
  },
  zoom: {
    issued: [
      {
        access_token: at,
        token_type: 'bearer',
        refresh_token: rt,
        expires_in: 3599,
        scope: 'user:read',
        api_url: 'https://api.zoom.us',
      },
      { lifeSeconds: 3599, scopes: 'user:read', metadata: { api_url: 'https://api.zoom.us' } },
    ],
    dead: [401, { reason: 'Invalid Token!', error: 'invalid_request' }],
    stranger: [400, { reason: 'Invalid client_id or client_secret', error: 'invalid_client' }],
    limited: [429, { code: 429, message: 'You have reached the maximum per-second rate limit.' }, wait],
  },
  'zoom-s2s': {
    issued: [
      { access_token: at, token_type: 'bearer', expires_in: 3599, scope: 'user:read:admin' },
      { lifeSeconds: 3599, refresh: null, scopes: 'user:read:admin' },
    ],
    stranger: [400, { reason: 'Invalid client_id or client_secret', error: 'invalid_client' }],
  },
};
