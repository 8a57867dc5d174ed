import { expect } from 'vitest';
import type { ChaosHost } from './chaos-host.ts';
import { type ChaosGrant, credentials, refresh } from './grants.ts';
import type { RefreshCall } from './ledger.ts';
import type { World } from './world.ts';

/** Expects that no grant ever had two refresh requests under way, and that no refresh token succeeded twice. */
export function expectSingleUse(grants: readonly ChaosGrant[]): void {
  for (const { account, provider } of grants) {
    const calls = provider.ledger.callsOf(account);
    expect(overlapsOf(calls), `${account}: two refresh requests at once`).toEqual([]);
    if (provider.kind === 'steady') continue;
    const succeeded = calls.filter(({ status }) => status === 200).map(({ tokenHash }) => tokenHash);
    expect(new Set(succeeded).size, `${account}: a refresh token was good twice`).toBe(succeeded.length);
  }
}

function overlapsOf(calls: readonly RefreshCall[]): string[] {
  const sorted = calls.toSorted((a, b) => a.receivedAt - b.receivedAt);
  return sorted.flatMap((call, index) => {
    const next = sorted[index + 1];
    const isOverlap = next !== undefined && (call.endedAt === null || next.receivedAt < call.endedAt);
    return isOverlap ? [`${call.receivedAt} to ${call.endedAt}, and ${next.receivedAt}`] : [];
  });
}

/** Expects exactly so many refresh requests of each grant, all of them answered with tokens. */
export function expectCalls(grants: readonly ChaosGrant[], count: number): void {
  const seen = grants.map(({ account, provider }) => [
    account,
    provider.ledger.callsOf(account).map(({ status }) => status),
  ]);
  expect(Object.fromEntries(seen)).toEqual(
    Object.fromEntries(grants.map(({ account }) => [account, Array(count).fill(200)])),
  );
}

/** Expects that an answer holds a token that is this grant's and that the provider honours. */
export async function expectServed(grant: ChaosGrant, answer: Awaited<ReturnType<typeof credentials>>): Promise<void> {
  expect(answer, grant.account).toMatchObject({ status: 200 });
  expect(grant.provider.ledger.ownerOf(answer.json.access_token), grant.account).toBe(grant.account);
  expect(await grant.provider.server.isActive(answer.json.access_token), `${grant.account}: the token lives`).toBe(
    true,
  );
}

/** Expects that each grant is alive: it is served, and its next refresh submits the newest refresh token and succeeds. */
export async function expectAlive(host: ChaosHost, grants: readonly ChaosGrant[]): Promise<void> {
  for (const grant of grants) {
    const { ledger } = grant.provider;
    await expectServed(grant, await credentials(host, grant));
    const newest = ledger.newestOf(grant.account);
    expect(await refresh(host, grant), grant.account).toMatchObject({ status: 200, json: { refreshed: true } });
    expect(ledger.callsOf(grant.account).at(-1), grant.account).toMatchObject({ status: 200, tokenHash: newest });
    await expectServed(grant, await credentials(host, grant));
  }
}

/** The count of token sets that each grant has had. */
export async function seqsOf({ grants: desk }: World, grants: readonly ChaosGrant[]): Promise<number[]> {
  const rows = await Promise.all(grants.map((grant) => desk.row(grant)));
  return rows.map((row) => Number(row?.seq));
}

/** Forgets what was asked of the providers so far. */
export function resetLedgers(world: World): void {
  for (const { ledger } of world.providers()) ledger.reset();
}
