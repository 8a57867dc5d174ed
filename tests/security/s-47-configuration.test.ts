import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bicepParser } from '../../scripts/bicep/parse.ts';
import { loadSettings } from '../../src/settings.ts';
import { readBicep } from '../support/bicep.ts';
import { createRunningHosts, type LiveHost, type RunningHosts } from '../support/running-hosts.ts';

const infra = join(import.meta.dirname, '..', '..', 'infra');

describe('S-47 what the deployment holds in clear', () => {
  it('is in no output, parameter or setting of the Bicep files: a reference to the vault is all there is', async () => {
    const program = await readBicep(infra);
    const site = program.resources.find(({ type }) => type === 'Microsoft.Web/sites/config');
    const settings = Object.entries((site?.body.properties ?? {}) as Record<string, unknown>);
    expect(settings.length).toBeGreaterThan(10);
    for (const [name, value] of settings) {
      expect(String(value), name).not.toMatch(/listKeys|AccountKey|SharedAccessSignature|listSecrets|password/i);
      expect(name).not.toMatch(/ENCRYPTION_KEY$|CLIENT_SECRET|^OAuthStorage$|AzureWebJobsStorage$/);
    }
    expect(await bicepParser()).toBeDefined();
    for (const file of [
      'main.bicep',
      ...['storage-account', 'roles', 'key-vault', 'monitoring', 'function-app'].map((name) => `modules/${name}.bicep`),
    ]) {
      const text = readFileSync(join(infra, file), 'utf8');
      expect(text, file).not.toMatch(/listKeys\(|listAccountSas\(|listSecrets\(|getSecret\(/);
      for (const [, output] of text.matchAll(/^output (\w+)/gm))
        expect(output).not.toMatch(/key$|secret|password|token/i);
    }
  });

  it('is not printed with the settings, whoever dumps them', () => {
    const key = randomBytes(32).toString('base64url');
    const account = randomBytes(32).toString('base64');
    const settings = loadSettings({
      OAuthStorage: `AccountName=a;AccountKey=${account}`,
      AZURE_KEY_VAULT_URL: 'https://v.vault.azure.net',
      PUBLIC_BASE_URL: 'https://bowline.example',
      OAUTH_TOKEN_ENCRYPTION_KEY: key,
    });
    const crash = new Error('crash', { cause: settings });
    const dumps = [
      inspect(settings, { depth: 9, showHidden: true }),
      JSON.stringify(settings),
      inspect(crash),
      `${settings}`,
    ];
    for (const dump of dumps) for (const secret of [key, account]) expect(dump).not.toContain(secret);
  });
});

describe('S-47 a process that runs', () => {
  let hosts: RunningHosts;
  let host: LiveHost;
  beforeAll(async () => {
    hosts = await createRunningHosts();
    host = await hosts.start();
  });
  afterAll(() => hosts.stopAll());

  it.runIf(process.platform === 'linux')(
    'has no encryption key, client secret or caller’s key in its environment or arguments',
    async () => {
      const demo = host.hostJson.demo_provider;
      const secrets = [host.hostJson.admin_key, host.hostJson.master_key, demo?.client_secret].map(String);
      const { pid } = host.hostJson;
      const surface = ['environ', 'cmdline'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'latin1')).join('\0');
      expect(surface).toContain('BOWLINE_HOME');
      for (const secret of secrets) {
        expect(secret.length).toBeGreaterThan(8);
        expect(surface).not.toContain(secret);
      }
      expect(surface).not.toMatch(/OAUTH_TOKEN_ENCRYPTION_KEY=[\w-]{20}/);
    },
  );
});
