import type { Person } from '../../../providers/stand-ins/stand-in.ts';

/** Who may sign in, everywhere. */
export const people = [
  { id: 'alice-1', name: 'Alice', email: 'alice@example.com' },
  { id: 'bob-2', name: 'Bob', email: 'bob@example.com' },
] as const satisfies readonly Person[];
