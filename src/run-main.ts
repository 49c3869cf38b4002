import { ConfigError, readConfig, type Config } from './config.js';
import { createLog, type Logger } from './log.js';
import { handleShutdown, type Shutdown } from './shutdown.js';

/** What a main gets to start with. */
export interface Main {
  config: Config;
  log: Logger;
  /** Where it registers how to stop what it starts. */
  shutdown: Shutdown;
}

/**
 * Runs a main: reads the settings, handles signals, and where `start` throws stops what was started and exits with 1.
 * `readable`: the log is for a person at a terminal, else for machines.
 */
export async function runMain(start: (main: Main) => Promise<void>, { readable = false } = {}): Promise<void> {
  const config = readConfigOrExit();
  const log = createLog({ level: config.logLevel, readable });
  const shutdown = handleShutdown(log);
  try {
    await start({ config, log, shutdown });
  } catch (error) {
    // The message of a ConfigError is all there is to say; of anything else the stack tells more.
    if (error instanceof ConfigError) log.fatal(error.message);
    else log.fatal({ err: error }, 'could not start');
    await shutdown.run('could not start', 1);
  }
}

function readConfigOrExit(): Config {
  try {
    return readConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}
