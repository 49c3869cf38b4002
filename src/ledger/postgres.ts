import pg from 'pg';
import type { Logger } from '../log.js';
import { listenTo } from './listen.js';
import { safeInteger, type Database, type Queryable } from './database.js';

/** Enough for the short transactions of one process; many processes share a server's 100 connections. */
const CONNECTIONS = 10;
/** A step waits this long at most, for a connection and for an answer, and is then retried by Temporal. */
const TIMEOUT_MS = 4_000;
/** A process that stops in the middle of a transaction, as a machine may, keeps nobody from an account any longer. */
const STOPPED_AFTER_MS = 10_000;
/** The server ends a statement that takes too long; where it does not say so, this side gives up so much later. */
const ANSWER_LATE_MS = 1_000;

/** A PostgreSQL server. Connects when it is used. */
export function openPostgres(databaseUrl: string, log: Logger): Database {
  const types = new pg.TypeOverrides();
  types.setTypeParser(pg.types.builtins.INT8, safeInteger);
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: CONNECTIONS,
    connectionTimeoutMillis: TIMEOUT_MS,
    statement_timeout: TIMEOUT_MS,
    idle_in_transaction_session_timeout: STOPPED_AFTER_MS,
    query_timeout: TIMEOUT_MS + ANSWER_LATE_MS,
    application_name: 'prompt-generation',
    types,
  });
  // Without a listener an idle connection that breaks would end the process; the next query opens another one.
  pool.on('error', (error) => {
    log.warn({ err: error }, 'an idle connection to the database broke');
  });

  return {
    ...queryable(pool),
    listen: (listening) => listenTo(databaseUrl, listening, log),
    close: () => pool.end(),
    async transaction(work, { statementMs } = {}) {
      const client = await pool.connect();
      let broken: Error | undefined;
      // The pool listens to idle connections only: one that breaks in a transaction would end the process.
      const note = (error: Error): void => {
        broken = error;
      };
      client.on('error', note);
      try {
        await client.query('BEGIN');
        if (statementMs !== undefined) await client.query(`SET LOCAL statement_timeout = ${statementMs}`);
        const result = await work(queryable(client, statementMs));
        await client.query('COMMIT');
        return result;
      } catch (error) {
        await client.query('ROLLBACK').catch((cause: unknown) => {
          broken = cause instanceof Error ? cause : new Error(String(cause));
        });
        throw error;
      } finally {
        // A connection that broke or could not roll back must not be used again.
        client.release(broken);
        client.off('error', note);
      }
    },
  };
}

const queryable = (connection: pg.Pool | pg.PoolClient, statementMs?: number): Queryable => {
  const limit = statementMs === undefined ? {} : { query_timeout: statementMs + ANSWER_LATE_MS };
  return {
    query: async <Row>(text: string, values: unknown[] = []) =>
      (await connection.query({ text, values, ...limit })).rows as Row[],
    run: async (text) => {
      await connection.query({ text, ...limit });
    },
  };
};
