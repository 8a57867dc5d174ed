/** The embedded host cannot start or go on. The message is one line for the person at the terminal, without secrets and without a stack. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';
}
