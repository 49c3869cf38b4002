import assert from 'node:assert/strict';
import pg from 'pg';

/** How many of each Temporal counts as an action, by its type; of one namespace. */
export type Actions = Record<string, number>;

/** What the server has counted so far: its metric `action`, by which Temporal Cloud's bill can be estimated beforehand. */
export async function readActions(metricsUrl: string, namespace: string): Promise<Actions> {
  const text = await (await fetch(metricsUrl)).text();
  const actions: Actions = {};
  for (const [, labels = '', count] of text.matchAll(/^action\{(.*)\} (\S+)$/gm)) {
    const { namespace: of, action_type: type } = Object.fromEntries(
      [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
    ) as Record<string, string>;
    // It writes some signs of names as others.
    if (of?.replaceAll('-', '_') === namespace.replaceAll('-', '_') && type !== undefined)
      actions[type] = (actions[type] ?? 0) + Number(count);
  }
  assert.ok(Object.keys(actions).length > 0, `no actions of ${namespace}: ${/^action.*$/m.exec(text)?.[0]}`);
  return actions;
}

/** What was counted between the two, for each of so many generations. */
export const actionsEach = (before: Actions, after: Actions, generations: number): Actions =>
  Object.fromEntries(
    Object.entries(after)
      .map(([type, count]) => [type, (count - (before[type] ?? 0)) / generations] as const)
      .filter(([, each]) => each > 0),
  );

/** A database's rows by table, exactly, and its bytes on disk with indexes. */
export interface Stored {
  rows: Record<string, number>;
  bytes: number;
}

/** All written is on disk by then, and none of it is garbage any more. */
export async function readStored(serverUrl: string, database: string): Promise<Stored> {
  const url = new URL(serverUrl);
  url.pathname = database;
  const client = new pg.Client(url.href);
  await client.connect();
  try {
    await client.query('VACUUM FULL');
    const { rows: tables } = await client.query<{ name: string }>(
      "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
    );
    const rows: Record<string, number> = {};
    for (const { name } of tables) {
      const { rows: counted } = await client.query<{ count: string }>(`SELECT count(*) FROM ${name}`);
      rows[name] = Number(counted[0]?.count);
    }
    const size = await client.query<{ bytes: string }>('SELECT pg_database_size(current_database()) AS bytes');
    return { rows, bytes: Number(size.rows[0]?.bytes) };
  } finally {
    await client.end();
  }
}

/** What so many generations have left, each. */
export const storedEach = (before: Stored, after: Stored, generations: number): Stored => ({
  rows: Object.fromEntries(
    Object.entries(after.rows)
      .map(([table, count]) => [table, (count - (before.rows[table] ?? 0)) / generations] as const)
      .filter(([, each]) => each > 0.01),
  ),
  bytes: Math.round((after.bytes - before.bytes) / generations),
});
