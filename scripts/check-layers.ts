import { dirname } from 'node:path';
import { cruiseLayers } from './layers/cruise.ts';

/** A parser that cannot read TypeScript sees nothing, and then nothing is wrong: the gate wants to have seen a program. */
const fewestFiles = 20;

const { violations, unseen, seenCount } = await cruiseLayers(dirname(import.meta.dirname));
for (const violation of violations) console.error(violation);
for (const file of unseen) console.error(`not looked at: ${file}`);
if (seenCount < fewestFiles) console.error(`only ${seenCount} files were looked at`);
if (violations.length > 0 || unseen.length > 0 || seenCount < fewestFiles) process.exit(1);
console.log(`The layers hold: ${seenCount} files, no violation.`);
