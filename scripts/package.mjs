// Packs what Azure needs into dist/bowline.zip. The same sources give the same bytes: times, modes and order are fixed.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { zipSync } from 'fflate';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bundle = join(root, 'dist', 'main.cjs');
/** The oldest time that the format knows, as local time, which is what it stores. */
const packedAt = new Date(1980, 0, 1);
const unixFile = { os: 3, attrs: 0o100644 << 16, mtime: packedAt, level: 9 };

if (!existsSync(bundle)) {
  console.error('dist/main.cjs is missing: run npm run build first.');
  process.exit(1);
}

const { name, version, main } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const manifest = `${JSON.stringify({ name, version, private: true, main }, null, 2)}\n`;
const archive = zipSync({
  'dist/main.cjs': [readFileSync(bundle), unixFile],
  'host.json': [readFileSync(join(root, 'host.json')), unixFile],
  'package.json': [Buffer.from(manifest), unixFile],
});
writeFileSync(join(root, 'dist', 'bowline.zip'), archive);
console.log(`dist/bowline.zip: ${Math.round(archive.length / 1024)} KB.`);
