import type { PostmanItem } from './format.ts';
import { apiStep, pageStep } from './step.ts';

/** Keeps where the form of a page is posted to, whole. */
const keepFormAction = [
  'const action = /<form[^>]*action="([^"]+)"/.exec(answer)[1].replace(/&#(\\d+);/g, (_, code) => String.fromCharCode(code));',
  'pm.collectionVariables.set("form_action", action.startsWith("/") ? pm.environment.get("demo_issuer") + action : action);',
];

/** Keeps where a redirect leads, whole. */
const keepLocation = [
  'const location = pm.response.headers.get("location");',
  'pm.collectionVariables.set("next_url", location.startsWith("/") ? pm.environment.get("demo_issuer") + location : location);',
];

/** A person authorizes a connection at the demo server, and a workflow uses it. */
export function signInSteps(connection: string): PostmanItem[] {
  return [
    apiStep(`POST /oauth/connections/${connection}/authorize`, {
      name: 'An authorization begins',
      status: 200,
      body: { login_hint: 'alice', prompt: 'login' },
      checks: [
        'pm.expect(answer.connect_url).to.include("/api/connect/");',
        'pm.expect(answer.authorization_url).to.include("code_challenge_method=S256");',
      ],
      keeps: ['pm.collectionVariables.set("next_url", answer.authorization_url);'],
    }),
    apiStep(`GET /oauth/connections/${connection}`, {
      name: 'The connection waits for the callback',
      status: 200,
      checks: [
        'pm.expect(answer.status).to.equal("waiting_callback");',
        'pm.expect(answer.pending_authorization).to.equal(true);',
      ],
    }),
    pageStep({
      name: 'The provider asks who it is',
      url: '{{next_url}}',
      status: 200,
      checks: ['pm.expect(answer).to.include("Sign in");'],
      keeps: keepFormAction,
    }),
    pageStep({
      name: 'Alice signs in, and is asked for her consent',
      url: '{{form_action}}',
      form: { login: 'alice', decision: 'sign-in' },
      status: 200,
      checks: ['pm.expect(answer).to.include("Allow access?");'],
      keeps: keepFormAction,
    }),
    pageStep({
      name: 'Alice allows it',
      url: '{{form_action}}',
      form: { decision: 'allow' },
      followRedirects: false,
      status: [302, 303],
      keeps: keepLocation,
    }),
    pageStep({
      name: 'The provider sends the browser back to Bowline',
      url: '{{next_url}}',
      followRedirects: false,
      status: [302, 303],
      checks: [`pm.expect(pm.response.headers.get("location")).to.include("/api/oauth/callback/${connection}?");`],
      keeps: keepLocation,
    }),
    pageStep({
      name: 'The callback page says that it worked',
      url: '{{next_url}}',
      status: 200,
      checks: ['pm.expect(answer).to.include("is connected");'],
      keeps: ['pm.collectionVariables.unset("next_url");', 'pm.collectionVariables.unset("form_action");'],
    }),
    apiStep(`GET /oauth/credentials/${connection}`, {
      name: 'A workflow gets a live token by name, and no refresh token',
      status: 200,
      checks: [
        'pm.expect(answer.method).to.equal("saved_token");',
        'pm.expect(answer.token_type).to.match(/^bearer$/i);',
        'pm.expect(answer).to.not.have.property("refresh_token");',
      ],
      keeps: ['pm.collectionVariables.set("access_token", answer.access_token);'],
    }),
    pageStep({
      name: 'The provider takes the token',
      url: '{{demo_issuer}}/me',
      headers: { Authorization: 'Bearer {{access_token}}' },
      status: 200,
      checks: ['pm.expect(JSON.parse(answer).sub).to.equal("alice");'],
    }),
  ];
}
