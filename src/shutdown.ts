import type { Logger } from './log.js';

/** How long everything together may take to stop; then the process exits with 1. */
export const SHUTDOWN_LIMIT_MS = 15_000;

/** Stops what a main started, in reverse order, on SIGINT or SIGTERM or when asked. */
export interface Shutdown {
  /** Registers a step; the last one added runs first. */
  add(name: string, stop: () => Promise<unknown>): void;
  /** Registers what runs by itself: where it ends before it is stopped, everything is stopped, and the exit code is 1. */
  addService(name: string, service: { stop: () => Promise<unknown>; ended: Promise<unknown> }): void;
  /** Runs all steps once, whatever fails, and ends the process with `exitCode` (1 where a step failed). */
  run(why: string, exitCode?: number): Promise<never>;
}

/** Listens for SIGINT and SIGTERM. A second signal ends the process at once. */
export function handleShutdown(log: Logger): Shutdown {
  const steps: { name: string; stop: () => Promise<unknown> }[] = [];
  let running: Promise<never> | undefined;

  const stopAll = async (why: string, exitCode: number): Promise<never> => {
    log.info({ why }, 'stopping');
    const limit = setTimeout(() => {
      log.error({ limitMs: SHUTDOWN_LIMIT_MS }, 'stopping took too long, exiting now');
      process.exit(1);
    }, SHUTDOWN_LIMIT_MS);
    limit.unref();
    let code = exitCode;
    for (const { name, stop } of steps.reverse()) {
      try {
        await stop();
        log.debug({ part: name }, 'stopped');
      } catch (error) {
        code = 1;
        // What broke before is the reason, and was told; that its remains can't be stopped cleanly is none.
        const level = exitCode === 0 ? 'error' : 'debug';
        log[level]({ part: name, err: error }, 'could not be stopped cleanly');
      }
    }
    log.info('stopped');
    process.exit(code);
  };

  const run = (why: string, exitCode = 0): Promise<never> => (running ??= stopAll(why, exitCode));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (running) process.exit(1);
      void run(signal);
    });
  }
  const add = (name: string, stop: () => Promise<unknown>): void => void steps.push({ name, stop });
  return {
    add,
    addService(name, { stop, ended }) {
      add(name, stop);
      const endedByItself = (error?: unknown): void => {
        if (running) return;
        log.fatal({ part: name, err: error }, 'ended by itself');
        void run(`the ${name} ended`, 1);
      };
      void ended.then(() => {
        endedByItself();
      }, endedByItself);
    },
    run,
  };
}
