import { createFlakyPolicy } from '../support/tables-faults.ts';
import { createTablesHarness } from '../support/tables-harness.ts';
import { connectionListContract, connectionStoreContract } from './connection-store.contract.ts';
import { grantLeaseContract } from './grant-lease.contract.ts';
import { grantStoreContract } from './grant-store.contract.ts';
import { jobStoreContract, workflowStoreContract } from './small-stores.contract.ts';

/** Storage loses replies and refuses requests all the time, and every guarantee still holds. */
const makeStores = async () => (await createTablesHarness({ policies: [createFlakyPolicy()] })).stores;

connectionStoreContract(makeStores);
connectionListContract(makeStores);
grantStoreContract(makeStores);
grantLeaseContract(makeStores);
workflowStoreContract(makeStores);
jobStoreContract(makeStores);
