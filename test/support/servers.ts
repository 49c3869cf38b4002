import { sharedPostgres } from './postgres.js';
import { temporal } from './temporal.js';

/** Where files run in processes of their own: starts what all of them share, which the hooks end. */
export async function mochaGlobalSetup(): Promise<void> {
  const [{ address }, url] = await Promise.all([temporal(), sharedPostgres()]);
  process.env.TEST_TEMPORAL_ADDRESS = address;
  process.env.TEST_DATABASE_URL = url;
}
