import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bicepParser, syntaxFaults } from './bicep/parse.ts';

const folder = join(dirname(import.meta.dirname), 'infra');
const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.bicep')).sort();
const parse = await bicepParser();
let faultCount = 0;
for (const file of files) {
  for (const { line, text } of syntaxFaults(parse(await readFile(join(folder, file), 'utf8')))) {
    console.error(`infra/${file}:${line} ${text}`);
    faultCount += 1;
  }
}
if (files.length === 0) console.error('infra/ holds no Bicep file');
if (files.length === 0 || faultCount > 0) process.exit(1);
console.log(`${files.length} Bicep files are well formed.`);
