import { runHost } from './run-host.ts';

await runHost(() => import('../main.ts'));
