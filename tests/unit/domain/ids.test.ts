import { describe, expect, it } from 'vitest';
import { BrokerError } from '../../../src/domain/errors.ts';
import { toConnectionName, toOrgId, toUserId, toWorkflowId } from '../../../src/domain/ids.ts';

const refusal = (path: string) =>
  expect.objectContaining({ code: 'validation_failed', details: [expect.objectContaining({ path })] });

describe('ids', () => {
  it('are taken when they match their pattern', () => {
    expect(toOrgId('ORG_1-a')).toBe('ORG_1-a');
    expect(toConnectionName('c'.repeat(100))).toHaveLength(100);
    expect(toWorkflowId('a.b:c~d-e_f')).toBe('a.b:c~d-e_f');
    expect(toUserId('ünïcode/ü? #')).toBe('ünïcode/ü? #');
  });

  it.each([
    ['org_id', () => toOrgId("x' or PartitionKey ne '")],
    ['org_id', () => toOrgId('a'.repeat(65))],
    ['org_id', () => toOrgId('')],
    ['connection_name', () => toConnectionName('../x')],
    ['connection_name', () => toConnectionName('a|b')],
    ['connection_name', () => toConnectionName('c'.repeat(101))],
    ['workflow_id', () => toWorkflowId('a b')],
    ['workflow_id', () => toWorkflowId('a\n')],
    ['user_id', () => toUserId('')],
    ['user_id', () => toUserId('u'.repeat(257))],
  ])('are refused as %s when they do not, case %#', (path, make) => {
    expect(make).toThrow(refusal(path));
    expect(make).toThrow(BrokerError);
  });
});
