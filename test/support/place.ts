import { freePort } from '../../src/free-port.js';

/** A port that is free now, as a setting. */
export const ownPort = async (): Promise<string> => String(await freePort());

/** Settings for `npm start` on ports and a folder of its own. */
export async function ownPlace(dataDir: string): Promise<Record<string, string> & { PORT: string }> {
  return {
    DATA_DIR: dataDir,
    PORT: await ownPort(),
    METRICS_PORT: await ownPort(),
    TEMPORAL_DEV_PORT: await ownPort(),
    TEMPORAL_DEV_UI_PORT: await ownPort(),
  };
}
