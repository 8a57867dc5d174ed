import { describe, expect, it } from 'vitest';
import { type AuditRecord, anonymousActor, noSubject } from '../../../../src/domain/audit.ts';
import { toConnectionName, toOrgId } from '../../../../src/domain/ids.ts';
import type { CallFacts, Work } from '../../../../src/ports/work-context.ts';
import { createAuditTrail } from '../../../../src/usecases/audit/audit-trail.ts';

const org = toOrgId('ORG1');
const known = { kind: 'api_key', id: 'aa11', name: 'nightly' } as const;

/** A trail whose records a test can see, and calls of anybody's. */
function trail() {
  const written: AuditRecord[] = [];
  let work: Work = { fields: {} };
  const audit = createAuditTrail({
    clock: { now: () => 0, sleep: async () => {} },
    random: { id: () => String(written.length) } as never,
    timers: { after: () => () => {} },
    logger: {} as never,
    policy: { auditCredentialReads: 'windowed' },
    auditLog: { append: async (record: AuditRecord) => void written.push(record), close: async () => {} } as never,
    context: { current: () => work, within: (_work, run) => run() },
  });
  const refuse = (facts: Partial<CallFacts>, outcome: AuditRecord['outcome'] = 'unauthenticated') => {
    const address = facts.address ?? '192.0.2.7';
    const unknown = { ...noSubject, actor: anonymousActor, detail: {}, outcome: null, isSingular: false };
    const call = { facts: { ...unknown, correlationId: 'call-1', address, network: address, ...facts } };
    work = { fields: {}, call };
    return audit.recordCall('access.refused', outcome);
  };
  return { audit, written, refuse };
}

describe('refused attempts', () => {
  const flood = async (refuse: ReturnType<typeof trail>['refuse']) => {
    for (let index = 0; index < 600; index += 1) await refuse({ address: `198.51.100.${index}` });
  };

  it('of strangers are counted together beyond 500, and hide none whose organisation or caller is known', async () => {
    const { audit, written, refuse } = trail();
    await flood(refuse);
    expect(written).toHaveLength(500);
    await refuse({ org, connection: toConnectionName('crm') }, 'callback_rejected');
    await refuse({ org, actor: known }, 'rate_limited');
    await refuse({ actor: known }, 'rate_limited');
    expect(written.slice(500)).toMatchObject([
      { org: 'ORG1', connection: 'crm', outcome: 'callback_rejected', count: 1 },
      { org: 'ORG1', actor: known, outcome: 'rate_limited', count: 1 },
      { org: null, actor: known, outcome: 'rate_limited', count: 1 },
    ]);
    await audit.drain();
    expect(written.slice(503)).toMatchObject([{ org: null, count: 100, detail: { many_sources: true } }]);
  });

  it('of known callers end the oldest count when there are too many, and each is still written', async () => {
    const { written, refuse } = trail();
    const by = (index: number) => refuse({ org, actor: { ...known, id: `id-${index}` } }, 'rate_limited');
    for (let times = 0; times < 3; times += 1) await by(0);
    for (let index = 1; index <= 1000; index += 1) await by(index);
    expect(written).toHaveLength(1002);
    expect(written.filter(({ count }) => count > 1)).toMatchObject([{ actor: { id: 'id-0' }, count: 2 }]);
  });

  it('from one IPv6 network have one window, whatever their addresses, and the count names the network', async () => {
    const { audit, written, refuse } = trail();
    for (let index = 1; index <= 600; index += 1) {
      await refuse({ address: `2001:db8::${index.toString(16)}`, network: '2001:db8:0:0' });
    }
    expect(written).toMatchObject([{ address: '2001:db8::1', count: 1 }]);
    await audit.drain();
    expect(written[1]).toMatchObject({ address: null, count: 599, detail: { network: '2001:db8:0:0' } });
  });
});
