import { AsyncLocalStorage } from 'node:async_hooks';
import type { Work, WorkContext } from '../../ports/work-context.ts';

const nothing: Work = { fields: {} };

export function createWorkContext(): WorkContext {
  const storage = new AsyncLocalStorage<Work>();
  return {
    current: () => storage.getStore() ?? nothing,
    within: (work, run) => storage.run(work, run),
  };
}
