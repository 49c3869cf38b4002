import type { ExitCode } from './exit-codes.js';

/** Ends a command with a message for the person at the terminal. */
export class CliError extends Error {
  override name = 'CliError';

  constructor(
    message: string,
    readonly exitCode: ExitCode,
    /** For scripts: the API's `code`, where it has answered. */
    readonly code?: string,
    /** Of the API, to be named to the developers. */
    readonly requestId?: string,
  ) {
    super(message);
  }
}
