import type { Worker } from '@temporalio/worker';

export interface RunningWorker {
  stop(): Promise<void>;
  /** Settles when the worker was stopped, or rejects when it dies by itself. */
  ended: Promise<void>;
}

/** Runs the workers of one process as one: where one of them ends, however that is, the others are stopped. */
export function runWorkers(workers: Worker[]): RunningWorker {
  const stopAll = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  const runs = workers.map((worker) => worker.run().finally(stopAll));
  const ended = Promise.allSettled(runs).then(async () => {
    await Promise.all(runs);
  });
  return {
    ended,
    stop: async () => {
      stopAll();
      await ended;
    },
  };
}
