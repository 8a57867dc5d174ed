import type { PostmanFolder, PostmanItem } from './format.ts';
import { apiStep } from './step.ts';
import { signInSteps } from './story-sign-in.ts';

const person = 'postman-story';
const machine = 'postman-story-machine';
const workflow = 'postman-story-workflow';

const keep = (name: string, value: string) => `pm.collectionVariables.set("${name}", ${value});`;
const forget = (name: string) => `pm.collectionVariables.unset("${name}");`;
const noSecrets = 'pm.expect(pm.response.text()).to.not.include(pm.environment.get("demo_client_secret"));';

/** The main story from first to last, with a test on each step. It cleans up first, so it can be run again. */
export function storyFolder(): PostmanFolder {
  return {
    name: 'Story',
    description:
      'The main story against a running host, with a test on each step. Run it as a whole: each step builds on the ones before it.',
    item: [
      ...cleanUpSteps(),
      ...beginningSteps(),
      ...signInSteps(person),
      ...tokenSteps(),
      ...machineSteps(),
      ...keySteps(),
      ...workflowSteps(),
    ],
  };
}

function cleanUpSteps(): PostmanItem[] {
  const removal = (name: string) =>
    apiStep(`DELETE /oauth/connections/${name}`, {
      name: `Clean up ${name}`,
      status: [200, 404],
      query: { confirm_disable_workflows: 'true' },
    });
  return [
    removal(person),
    removal(machine),
    apiStep(`POST /oauth/workflows/${workflow}/enable`, { name: 'Clean up the workflow', status: 200, body: {} }),
  ];
}

function beginningSteps(): PostmanItem[] {
  return [
    apiStep('GET /health', {
      name: 'The broker is alive',
      key: null,
      status: 200,
      checks: ['pm.expect(answer).to.eql({ status: "alive" });'],
    }),
    apiStep('GET /oauth/me', {
      name: 'The key is an administrator’s who may read credentials',
      status: 200,
      checks: ['pm.expect(answer.roles).to.include.members(["admin", "operator", "reader"]);'],
    }),
    apiStep('POST /oauth/connections', {
      name: 'A connection is created, and keeps its secret to itself',
      status: 201,
      body: {
        connection_name: person,
        oauth_flow_type: 'authorization_code',
        client_id: '{{demo_client_id}}',
        client_secret: '{{demo_client_secret}}',
        issuer: '{{demo_issuer}}',
        authorization_url: '{{demo_issuer}}/auth',
        token_url: '{{demo_issuer}}/token',
        userinfo_url: '{{demo_issuer}}/me',
        test_url: '{{demo_issuer}}/me',
        revocation_url: '{{demo_issuer}}/token/revocation',
        scopes: 'openid read',
      },
      checks: [
        'pm.expect(answer.status).to.equal("not_connected");',
        'pm.expect(answer.has_client_secret).to.equal(true);',
        noSecrets,
      ],
    }),
    apiStep(`GET /oauth/connections/${person}`, {
      name: 'The connection can be read, with the URL to register at the provider',
      status: 200,
      checks: [
        `pm.expect(answer.redirect_uri).to.match(/\\/api\\/oauth\\/callback\\/${person}$/);`,
        'pm.expect(pm.response.headers.get("etag")).to.match(/^".+"$/);',
        noSecrets,
      ],
    }),
    apiStep(`GET /oauth/credentials/${person}`, {
      name: 'Before anybody has authorized it there are no credentials, and the answer says what to do',
      status: 503,
      checks: [
        'pm.expect(answer.error).to.equal("connection_not_ready");',
        `pm.expect(answer.authorize).to.eql({ method: "POST", href: "/api/oauth/connections/${person}/authorize" });`,
      ],
    }),
  ];
}

function tokenSteps(): PostmanItem[] {
  return [
    apiStep(`POST /oauth/connections/${person}/refresh`, {
      name: 'The token is refreshed',
      status: 200,
      body: {},
      checks: ['pm.expect(answer.refreshed).to.equal(true);', 'pm.expect(answer.status).to.equal("completed");'],
    }),
    apiStep(`GET /oauth/credentials/${person}`, {
      name: 'From now on workflows get the new token',
      status: 200,
      query: { force_refresh: 'true' },
      checks: ['pm.expect(answer.access_token).to.not.equal(pm.collectionVariables.get("access_token"));'],
      keeps: [forget('access_token')],
    }),
    apiStep(`POST /oauth/connections/${person}/test`, {
      name: 'The provider accepts the token',
      status: 200,
      body: {},
      checks: ['pm.expect(answer.test_result).to.equal("success");'],
    }),
  ];
}

function machineSteps(): PostmanItem[] {
  return [
    apiStep('POST /oauth/connections', {
      name: 'A connection that needs no person is created',
      status: 201,
      body: {
        connection_name: machine,
        oauth_flow_type: 'client_credentials',
        client_id: '{{demo_client_id}}',
        client_secret: '{{demo_client_secret}}',
        token_url: '{{demo_issuer}}/token',
        scopes: 'read,write',
      },
      checks: ['pm.expect(answer.status).to.equal("not_connected");', noSecrets],
    }),
    apiStep(`POST /oauth/connections/${machine}/authorize`, {
      name: 'There is nobody to authorize it',
      status: 400,
      body: {},
      checks: ['pm.expect(answer.error).to.equal("authorization_not_applicable");'],
    }),
    apiStep(`GET /oauth/credentials/${machine}`, {
      name: 'It gets its token by itself',
      status: 200,
      checks: [
        'pm.expect(answer.method).to.equal("client_credentials");',
        'pm.expect(answer.access_token).to.be.a("string").that.is.not.empty;',
        'pm.expect(Date.parse(answer.expires_at)).to.be.above(Date.now());',
      ],
    }),
  ];
}

function keySteps(): PostmanItem[] {
  return [
    apiStep('POST /oauth/callers', {
      name: 'A workflow gets an API key that can only read credentials',
      status: 201,
      body: { name: 'postman story', org_ids: ['{{organization_id}}'], roles: ['reader'] },
      checks: ['pm.expect(answer.api_key).to.match(/^bwl_/);'],
      keeps: [keep('story_key', 'answer.api_key'), keep('story_key_id', 'answer.id')],
    }),
    apiStep(`GET /oauth/credentials/${machine}`, {
      name: 'The new key gets credentials',
      key: 'story_key',
      status: 200,
      checks: ['pm.expect(answer.method).to.equal("saved_token");'],
    }),
    apiStep(`DELETE /oauth/connections/${machine}`, {
      name: 'The new key may not delete a connection',
      key: 'story_key',
      status: 403,
      checks: ['pm.expect(answer.error).to.equal("role_required");'],
    }),
    apiStep('DELETE /oauth/callers/{{story_key_id}}', { name: 'The key is deleted', status: 204 }),
    apiStep('GET /oauth/me', {
      name: 'A deleted key is nobody’s',
      key: 'story_key',
      status: 401,
      checks: ['pm.expect(answer.error).to.equal("unauthenticated");'],
      keeps: [forget('story_key'), forget('story_key_id')],
    }),
  ];
}

function workflowSteps(): PostmanItem[] {
  return [
    apiStep(`POST /oauth/workflows/${workflow}/dependencies`, {
      name: 'A workflow says that it depends on the connection',
      status: 201,
      body: { connection_name: person, workflow_name: 'Postman story' },
      checks: [`pm.expect(answer.workflow_id).to.equal("${workflow}");`],
    }),
    apiStep(`DELETE /oauth/connections/${person}`, {
      name: 'A connection that a workflow depends on is not simply deleted',
      status: 400,
      checks: [
        'pm.expect(answer.error).to.equal("workflows_depend");',
        `pm.expect(answer.dependent_workflows.map(({ workflow_id }) => workflow_id)).to.eql(["${workflow}"]);`,
      ],
    }),
    apiStep(`DELETE /oauth/connections/${person}`, {
      name: 'Confirmed, it is deleted, its tokens are revoked and the workflow is disabled',
      status: 200,
      query: { confirm_disable_workflows: 'true' },
      checks: [
        `pm.expect(answer.disabled_workflows).to.eql(["${workflow}"]);`,
        'pm.expect(answer.revoked).to.equal(true);',
      ],
    }),
    apiStep('GET /oauth/workflows/disabled', {
      name: 'The workflow is listed as disabled, with the reason',
      status: 200,
      checks: [
        `const found = answer.workflows.find(({ workflow_id }) => workflow_id === "${workflow}");`,
        `pm.expect(found.related_oauth_connection).to.equal("${person}");`,
      ],
    }),
    apiStep(`GET /oauth/credentials/${machine}`, {
      name: 'A disabled workflow gets no credentials',
      status: 403,
      workflow,
      checks: ['pm.expect(answer.error).to.equal("workflow_disabled");'],
    }),
    apiStep(`POST /oauth/workflows/${workflow}/enable`, {
      name: 'The workflow is enabled again',
      status: 200,
      body: {},
      checks: ['pm.expect(Date.parse(answer.enabled_at)).to.be.above(0);'],
    }),
    apiStep(`DELETE /oauth/connections/${machine}`, {
      name: 'The other connection is deleted',
      status: 200,
      checks: ['pm.expect(answer.disabled_workflows).to.eql([]);'],
    }),
    apiStep(`GET /oauth/connections/${person}`, {
      name: 'Deleted stays deleted',
      status: 404,
      checks: ['pm.expect(answer.error).to.equal("connection_not_found");'],
    }),
  ];
}
