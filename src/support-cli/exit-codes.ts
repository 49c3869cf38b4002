/** What scripts go by. docs/support.md lists them. */
export const EXIT = {
  done: 0,
  /** The service refused, or what was looked at is not well. */
  bad: 1,
  /** Wrong arguments or settings: nothing was asked of the service. */
  usage: 2,
  /** The service, or a part of it, does not answer: try again. */
  unavailable: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
