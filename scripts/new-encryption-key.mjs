// Prints a new Fernet key: 32 random bytes in base64url with padding, as Python's Fernet.generate_key does.
import { randomBytes } from 'node:crypto';
import process from 'node:process';

process.stdout.write(`${randomBytes(32).toString('base64').replaceAll('+', '-').replaceAll('/', '_')}\n`);
