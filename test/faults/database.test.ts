import { setTimeout as rest } from 'node:timers/promises';
import pg from 'pg';
import { trial } from './support/trial.js';
import { World } from './support/world.js';

/** How long the database is of no use, in ms. */
const AWAY_MS = 15_000;

describe('A database', function () {
  this.timeout(180_000);
  let world: World;
  before(async function () {
    this.timeout(600_000);
    world = await World.start();
  });
  after(() => world.stop());

  it('that is killed and comes back loses nothing', async () => {
    const kill = async () => {
      await world.postgres.kill();
      await rest(AWAY_MS);
      await world.postgres.start();
    };
    await trial(world, 'database: kill -9 for 15 s', kill, { at: 30 });
  });

  it('whose connections others have all taken loses nothing', async () => {
    const take = async () => {
      const others = await takeAllConnections(world.postgres.url);
      await rest(AWAY_MS);
      await Promise.all(others.map((client) => client.end()));
    };
    await trial(world, 'database: no connection free for 15 s', take, { at: 30 });
  });

  it('that lets every query wait, until the pools are full, loses nothing', async () => {
    const lock = async () => {
      const locker = new pg.Client(world.databaseUrl);
      await locker.connect();
      await locker.query('BEGIN; LOCK TABLE accounts, generations IN ACCESS EXCLUSIVE MODE');
      await rest(AWAY_MS);
      await locker.end();
    };
    await trial(world, 'database: pools full of waiting queries for 15 s', lock, { at: 30 });
  });
});

/** Ends the service's connections and takes every one there is, before it can come back. */
async function takeAllConnections(url: string): Promise<pg.Client[]> {
  const taken: pg.Client[] = [];
  for (;;) {
    const client = new pg.Client(url);
    client.on('error', () => undefined);
    try {
      await client.connect();
      taken.push(client);
      await client.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'prompt-generation'",
      );
    } catch (error) {
      // 53300: there is none left.
      if (error instanceof pg.DatabaseError && error.code === '53300') return taken;
      throw error;
    }
  }
}
