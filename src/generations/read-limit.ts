/** So many tasks are asked for at once where all is well, and where nobody answers. */
export const READS_AT_ONCE = 40;
export const FEWEST_AT_ONCE = 4;

/** How many tasks Temporal is asked for at once. */
export interface ReadLimit {
  /** Whether one more may be, besides so many. */
  allows(inFlight: number): boolean;
  /** Whether the workflow answered, or nobody did in time. */
  note(answered: boolean): void;
}

/**
 * Whoever asks for more tasks than that is told what is known. Else, when Temporal or the workers are slow, polls would pile
 * up and leave them no time for the work itself: a query that was given up is work all the same. So with each one that is
 * not answered half as many are asked for, and with each that is, one more.
 */
export function createReadLimit(): ReadLimit {
  let limit = READS_AT_ONCE;
  return {
    allows: (inFlight) => inFlight < limit,
    note(answered) {
      limit = answered ? Math.min(READS_AT_ONCE, limit + 1) : Math.max(FEWEST_AT_ONCE, Math.floor(limit / 2));
    },
  };
}
