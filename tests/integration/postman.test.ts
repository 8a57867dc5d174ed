import { readFileSync } from 'node:fs';
import { join } from 'node:path';
// @ts-expect-error newman has no types of its own
import newman from 'newman';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRunningHosts, type LiveHost, type RunningHosts } from '../support/running-hosts.ts';

const folder = join(import.meta.dirname, '..', '..', 'docs', 'postman');
const read = (name: string) => JSON.parse(readFileSync(join(folder, `bowline.postman_${name}.json`), 'utf8'));

/** What is read of newman's summary. */
interface Run {
  readonly stats: { readonly requests: { readonly total: number }; readonly assertions: { readonly total: number } };
  readonly failures: readonly {
    readonly source: { readonly name: string };
    readonly error: { readonly message: string };
  }[];
}

const collection = read('collection');
const storyLength: number = collection.item[0].item.length;

let hosts: RunningHosts;
let host: LiveHost;
beforeAll(async () => {
  hosts = await createRunningHosts();
  host = await hosts.start();
});
afterAll(() => hosts.stopAll());

function runStory(): Promise<Run> {
  const { url, hostJson } = host;
  const filled: Record<string, string | null | undefined> = {
    base_url: url,
    organization_id: 'ORG1',
    api_key: hostJson.admin_key,
    demo_issuer: hostJson.demo_provider?.issuer,
    demo_client_secret: hostJson.demo_provider?.client_secret,
  };
  const environment = read('environment');
  for (const variable of environment.values) variable.value = filled[variable.key] ?? variable.value;
  return new Promise((resolve, reject) => {
    newman.run({ collection, environment, folder: 'Story' }, (error: Error | null, summary: { run: Run }) => {
      if (error) reject(error);
      else resolve(summary.run);
    });
  });
}

const failuresOf = ({ failures }: Run) => failures.map(({ source, error }) => `${source.name}: ${error.message}`);

describe('the Postman story', { timeout: 60_000 }, () => {
  it('passes against a live host, with one test on each request, and passes again', async () => {
    for (const run of [await runStory(), await runStory()]) {
      expect(failuresOf(run)).toEqual([]);
      expect(run.stats.assertions.total).toBe(storyLength);
    }
    expect(storyLength).toBe(36);
  });

  it('cleans up what a broken run has left', async () => {
    const left = await host.call('POST', '/api/oauth/connections', {
      connection_name: 'postman-story',
      oauth_flow_type: 'client_credentials',
      client_id: 'x',
      client_secret: 'y',
      token_url: 'https://login.example.com/token',
    });
    expect(left.status).toBe(201);
    expect(failuresOf(await runStory())).toEqual([]);
  });
});

describe('the committed environment', () => {
  it('holds no secret', () => {
    const secrets = read('environment').values.filter(({ type }: { type: string }) => type === 'secret');
    expect(secrets.map(({ key, value }: { key: string; value: string }) => [key, value])).toEqual([
      ['api_key', ''],
      ['demo_client_secret', ''],
    ]);
  });
});
