import { serveParent } from './child-process.ts';
import { measureSealing } from './sealing.ts';

/** A process that holds nothing else: with a big heap, collecting what others have left decides the ratio. */
await serveParent(async () => ({ started: await measureSealing() }));
