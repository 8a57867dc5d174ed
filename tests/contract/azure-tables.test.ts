import { createTablesHarness } from '../support/tables-harness.ts';
import { callerStoreContract } from './caller-store.contract.ts';
import { connectionListContract, connectionStoreContract } from './connection-store.contract.ts';
import { grantLeaseContract, leaseExpiryContract } from './grant-lease.contract.ts';
import { grantStoreContract } from './grant-store.contract.ts';
import { jobStoreContract, transactionStoreContract, workflowStoreContract } from './small-stores.contract.ts';

const makeStores = async () => (await createTablesHarness()).stores;

connectionStoreContract(makeStores);
connectionListContract(makeStores);
grantStoreContract(makeStores);
grantLeaseContract(makeStores);
leaseExpiryContract(async () => (await createTablesHarness({ leaseMs: 1000 })).stores);
transactionStoreContract(makeStores);
callerStoreContract(makeStores);
workflowStoreContract(makeStores);
jobStoreContract(makeStores);
