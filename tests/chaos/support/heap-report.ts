import { writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Loaded before a host (`--import`): at SIGUSR2 it writes how many bytes are held, without garbage. */
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function report(): void {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  writeFileSync(process.env.CHAOS_HEAP_REPORT ?? '', String(heapUsed + external));
}

process.on('SIGUSR2', () => {
  collectGarbage();
  // What the first collection has let finalizers free goes with the second.
  setTimeout(report, 200);
});
