import { stopPostgres } from './postgres.js';
import { stopTemporal } from './temporal.js';

/** Ends what the run's tests shared. */
export async function mochaGlobalTeardown(): Promise<void> {
  await Promise.all([stopTemporal(), stopPostgres()]);
}
