import { execFile } from 'node:child_process';
import { access, rename, rm } from 'node:fs/promises';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { PGlite, types, type Transaction } from '@electric-sql/pglite';
import { safeInteger, type Database, type Queryable } from '../ledger/database.js';

/** A database of one user: PostgreSQL's 128 MB of buffers would be two thirds of the process's memory. */
const SETTINGS = [...PGlite.defaultStartParams, '-c', 'shared_buffers=4MB'];

/**
 * PostgreSQL in this process, its files in `folder` (absent: in memory). One process at a time.
 * Creating one takes 800 MB for a moment, which a process never gives back: a child does it.
 */
export async function openEmbeddedDatabase(folder?: string): Promise<Database> {
  if (folder !== undefined && !(await exists(folder))) await createIn(folder);
  const pglite = await PGlite.create({
    ...(folder === undefined ? {} : { dataDir: folder }),
    startParams: SETTINGS,
    parsers: { [types.INT8]: safeInteger },
  });
  return {
    ...queryable(pglite),
    transaction: (work) => pglite.transaction((tx) => work(queryable(tx))),
    async listen({ channels, notification, connected }) {
      const stops = await Promise.all(
        channels.map((channel) =>
          pglite.listen(channel, (payload) => {
            notification(channel, payload);
          }),
        ),
      );
      connected();
      return async () => {
        await Promise.all(stops.map((stop) => stop()));
      };
    },
    close: () => pglite.close(),
  };
}

const queryable = (connection: PGlite | Transaction): Queryable => ({
  query: async <Row>(text: string, params: unknown[] = []) => (await connection.query<Row>(text, params)).rows,
  run: async (script) => {
    await connection.exec(script);
  },
});

/** Under another name first: a creation that is broken off must not look like a database. */
async function createIn(folder: string): Promise<void> {
  const unfinished = `${folder}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  // Beside this file, compiled or not.
  const script = fileURLToPath(new URL(`./create-embedded-database${extname(import.meta.url)}`, import.meta.url));
  await promisify(execFile)(process.execPath, [...process.execArgv, script, unfinished]);
  await rename(unfinished, folder);
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
