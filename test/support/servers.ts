import { sharedPostgres, stopPostgres } from './postgres.js';
import { stopTemporal, temporal } from './temporal.js';

/** Where files run in processes of their own: starts what all of them share, which the hooks end. */
export async function mochaGlobalSetup(): Promise<void> {
  const [{ address }, url] = await Promise.all([temporal(), sharedPostgres()]).catch(async (error: unknown) => {
    // Mocha ends without its teardown then. Who could not be started can't be stopped.
    await Promise.allSettled([stopTemporal(), stopPostgres()]);
    throw error;
  });
  process.env.TEST_TEMPORAL_ADDRESS = address;
  process.env.TEST_DATABASE_URL = url;
}
