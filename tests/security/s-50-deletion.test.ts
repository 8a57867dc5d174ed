import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFernet, parseFernetKey } from '../../src/crypto/fernet.ts';
import { begin, credentialsOf, land, signIn } from '../functions/support/authorizing.ts';
import { type Row, rowOf, rowsOf, secretInVault } from '../support/connections.ts';
import type { RawTable } from '../support/tables-harness.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

const tables: readonly RawTable[] = [
  'OAuthConnections',
  'OAuthUserGrants',
  'OAuthTransactions',
  'OAuthWorkflows',
  'OAuthJobs',
  'OAuthRefreshDue',
  'OAuthAudit',
];
const mark = randomBytes(12).toString('hex');

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

/** Every row of every table as text, what is sealed in it opened with the key. */
async function everything(): Promise<string[]> {
  const [key] = broker.settings.encryptionKeys;
  if (key === undefined) throw new Error('the broker has no key');
  const opened = ({ partitionKey, rowKey, ...columns }: Row) => {
    const cells = Object.values(columns);
    const sealed = Buffer.concat(cells.filter((cell) => cell instanceof Uint8Array));
    const clear = sealed.length === 0 ? '' : Buffer.from(openFernet(parseFernetKey(key), sealed)).toString();
    return `${partitionKey} ${rowKey} ${JSON.stringify(cells.filter((cell) => !(cell instanceof Uint8Array)))} ${clear}`;
  };
  const rows = await Promise.all(tables.map((table) => rowsOf(broker, table)));
  return rows.flat().map(opened);
}

const rowsWith = async (text: string) => (await everything()).filter((row) => row.includes(text));

describe('S-50 a connection that was deleted', () => {
  it('leaves no token, no secret and no transaction anywhere, not even sealed', async () => {
    const secret = broker.server.clients.basic.clientSecret;
    const body = broker.connectionBody('gone', { description: `description-${mark}` });
    await broker.call('POST', '/api/oauth/connections', { body });
    await land(await signIn(await begin(broker, 'gone')));
    await land(await signIn(await begin(broker, 'gone', { user_id: 'ann' }), { login: 'ann' }));
    const own = (await credentialsOf(broker, 'gone')).json.access_token;
    const users = (await credentialsOf(broker, 'gone', '?user_id=ann')).json.access_token;
    const imported = `imported-${mark}`;
    await broker.call('POST', '/api/oauth/connections/gone/tokens', {
      body: { user_id: 'ben', access_token: imported, refresh_token: `refresh-${imported}` },
    });
    const pending = await begin(broker, 'gone', { user_id: 'eve' });
    await begin(broker, 'gone');
    expect(await rowsOf(broker, 'OAuthTransactions')).toHaveLength(2);
    for (const token of [own, users, imported, `description-${mark}`]) expect(await rowsWith(token)).toHaveLength(1);
    const reference = (await rowOf(broker, 'gone'))?.client_secret_ref;
    expect(await secretInVault(broker, reference)).toBe(200);

    const deleted = await broker.call('DELETE', '/api/oauth/connections/gone');
    expect(deleted.status, deleted.text).toBe(200);

    for (const text of [own, users, imported, `refresh-${imported}`, `description-${mark}`, secret]) {
      expect(await rowsWith(text)).toEqual([]);
    }
    expect(await secretInVault(broker, reference)).toBe(404);
    expect(await rowsOf(broker, 'OAuthTransactions')).toEqual([]);
    expect((await land(pending.connect_url)).status).toBe(404);
    expect((await rowsOf(broker, 'OAuthUserGrants')).length).toBe(0);
    expect(broker.lines.join('\n')).not.toContain(imported);
  });

  it('that was disconnected first holds no token either', async () => {
    await broker.call('POST', '/api/oauth/connections', { body: broker.connectionBody('off') });
    await land(await signIn(await begin(broker, 'off')));
    const token = (await credentialsOf(broker, 'off')).json.access_token;
    expect(await rowsWith(token)).toHaveLength(1);
    await broker.call('POST', '/api/oauth/connections/off/disconnect', { body: {} });
    expect(await rowsWith(token)).toEqual([]);
  });
});
