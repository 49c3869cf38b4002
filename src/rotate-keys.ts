import { join } from 'node:path';
import { ConfigError, requireSettings } from './config.js';
import { claimDataFolder } from './dev/claim-data-folder.js';
import { openEmbeddedDatabase } from './dev/embedded-database.js';
import { rotateMasterKey } from './encryption/data-keys.js';
import { createMasterKeys } from './encryption/master-keys.js';
import { migrate } from './ledger/migrate.js';
import { openPostgres } from './ledger/postgres.js';
import { runMain } from './run-main.js';

/**
 * `npm run rotate-keys`: wraps every data key with the first of PAYLOAD_ENCRYPTION_KEYS. On PostgreSQL the service may run
 * meanwhile; an embedded database is used by one process at a time.
 */
await runMain(async ({ config, log, shutdown }) => {
  const { encryption, databaseUrl, dataDir } = requireSettings(config, ['encryption']);
  const [current, ...others] = encryption.masterKeys;
  if (!current) throw new ConfigError('PAYLOAD_ENCRYPTION_KEYS has no key to rotate to.');
  if (!databaseUrl) shutdown.add('data folder', await claimDataFolder(dataDir));
  const database = databaseUrl ? openPostgres(databaseUrl, log) : await openEmbeddedDatabase(join(dataDir, 'postgres'));
  shutdown.add('database', () => database.close());
  await migrate(database);
  const count = await rotateMasterKey(database, createMasterKeys([current, ...others]));
  log.info({ keys: count, master_key: current.id }, 'all data keys are wrapped by the current master key');
  await shutdown.run('done');
});
