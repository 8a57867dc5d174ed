import { createTablesHarness } from '../support/tables-harness.ts';
import { dueIndexContract } from './due-index.contract.ts';

dueIndexContract(async () => (await createTablesHarness()).stores.dueIndex);
