import type { Comparable } from '../../support/facts-of-provider.ts';

/** Where an entry says something else than the facts do, and why. */
export const deviations: Readonly<Record<string, Partial<Comparable> & { readonly why: string }>> = {
  atlassian: {
    why: 'refresh tokens rotate, and the pair before stays good for ten minutes',
    rotation: 'overlap',
  },
  auth0: {
    why: 'the facts do not say where a device asks for its code',
    flows: ['authorization_code', 'client_credentials', 'refresh_token'],
  },
  box: {
    why: 'its assertions name an enterprise or a user by claims of its own',
    flows: ['authorization_code', 'client_credentials', 'refresh_token', 'token_exchange'],
  },
  docusign: {
    why: 'its assertions need a scope and a consent that only people can give',
    flows: ['authorization_code', 'refresh_token'],
  },
  dropbox: {
    why: 'its account endpoint takes a POST without a body; the token answer names the account',
    userinfo: '',
  },
  'github-app-user': {
    why: 'an App may have expiring tokens switched off: then no life is stated and there is no end',
    accessTokenSeconds: null,
  },
  google: {
    why: 'service accounts are an entry of their own, google-service-account',
    flows: ['authorization_code', 'device_code', 'refresh_token'],
  },
  hubspot: {
    why: 'optional scopes are left out where the variable is empty; the endpoint named is for introspection',
    authorizeParams: {},
    userinfo: '',
  },
  instagram: {
    why: 'the code gives a token of one hour; what exchanges it for a longer one is no OAuth grant',
    accessTokenSeconds: 3600,
  },
  linear: { why: 'its API is GraphQL: there is nothing to GET', userinfo: '' },
  microsoft: {
    why: 'its assertions have to name a certificate (x5t), and a connection has a key only',
    clientAuth: ['client_secret_basic', 'client_secret_post'],
  },
  miro: {
    why: 'an application may have tokens that do not expire: then no life is stated and there is no end',
    accessTokenSeconds: null,
  },
  monday: { why: 'its API is GraphQL: there is nothing to GET', userinfo: '' },
  okta: {
    why: 'the facts do not say where a device asks for its code',
    flows: ['authorization_code', 'client_credentials', 'refresh_token', 'token_exchange'],
  },
  ringcentral: {
    why: 'what its assertions have to claim is not in the facts',
    flows: ['authorization_code', 'refresh_token'],
  },
  salesforce: {
    why: 'assertions are an entry of their own, salesforce-jwt; its device flow is not that of RFC 8628; no life is stated, and an hour is half of what orgs begin with',
    flows: ['authorization_code', 'client_credentials', 'refresh_token', 'token_exchange'],
    accessTokenSeconds: 3600,
  },
  servicenow: {
    why: 'what its assertions have to claim is not in the facts',
    flows: ['authorization_code', 'client_credentials', 'refresh_token'],
  },
  shopify: {
    why: 'token exchange needs types of tokens of its own, and moves an old token once and for all',
    flows: ['authorization_code', 'client_credentials', 'refresh_token'],
  },
  slack: {
    why: 'the user’s token is an entry of its own, slack-user; without token rotation there is no end; userinfo is for tokens of Sign in with Slack alone',
    authorizeParams: {},
    accessTokenSeconds: null,
    userinfo: '',
  },
  square: { why: 'it is revoked with the client’s secret under a scheme of its own', revocation: '' },
  stripe: { why: 'it takes the account, not the token', revocation: '' },
  'stripe-app': { why: 'it takes the account, not the token', revocation: '' },
  xero: { why: 'refresh tokens rotate, and the one before stays good for half an hour', rotation: 'overlap' },
};
