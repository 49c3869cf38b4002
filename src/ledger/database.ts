/** Runs SQL. Whole numbers come back as numbers, `timestamptz` as `Date`, `jsonb` parsed. */
export interface Queryable {
  query<Row>(text: string, params?: unknown[]): Promise<Row[]>;
  /** Runs a script of several statements. */
  run(script: string): Promise<void>;
}

/** A PostgreSQL: a server's (`openPostgres`) or the embedded one (`openEmbeddedDatabase`), with the same SQL. */
export interface Database extends Queryable {
  /**
   * Commits what `work` does, or nothing where it throws. MUST NOT be nested. `statementMs`: how long one statement may take;
   * a few seconds without.
   */
  transaction<T>(work: (tx: Queryable) => Promise<T>, limits?: { statementMs?: number }): Promise<T>;
  /**
   * Listens to notifications on a connection of its own until the result is called, and connects again by itself
   * whenever that breaks.
   */
  listen(listening: Listening): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** What becomes of PostgreSQL's notifications. */
export interface Listening {
  channels: readonly string[];
  notification: (channel: string, payload: string) => void;
  /** From here on every notification arrives. */
  connected: () => void;
  /** None arrives until `connected`. */
  disconnected: () => void;
}

/** Old rows that one statement deletes at most, so that it is done in its time; the next round finds the rest. */
export const FORGOTTEN_AT_ONCE = 20_000;

/** PostgreSQL's int8 as a number: token counts stay far below 2^53, and one that did not must not be rounded. */
export function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is too large a number`);
  return value;
}

/** The row of a query that always gives one. */
export function onlyRow<Row>(rows: Row[]): Row {
  const [row] = rows;
  if (row === undefined) throw new Error('The database returned no row where there must be one');
  return row;
}
