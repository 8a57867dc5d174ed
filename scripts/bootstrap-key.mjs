// Prints the first administrator's API key, this once, and the hash that a deployment knows it by. The key goes to
// stdout and the rest to stderr, so that `npm run --silent bootstrap-key > file` keeps the key alone.
import { createHash, randomBytes } from 'node:crypto';
import process from 'node:process';

const key = `bwl_${randomBytes(16).toString('hex')}_${randomBytes(32).toString('base64url')}`;
const hash = createHash('sha256').update(key).digest('hex');

process.stderr.write("The first administrator's API key. It is shown this once and kept nowhere:\n");
process.stdout.write(`${key}\n`);
process.stderr.write(`Give the app its hash, which tells nobody the key:\nBOOTSTRAP_ADMIN_KEY_SHA256=${hash}\n`);
