import type { GenerationsDeps } from './deps.js';
import { readPollers } from './pollers.js';
import type { Generations } from './types.js';

/**
 * Whether Temporal answers, and whether a worker polls our task queue. Temporal takes a dead one for alive for a while: the
 * feed knows sooner.
 */
export function createHealth(
  { client, log, taskQueue }: GenerationsDeps,
  isSilent: (worker: string) => boolean,
): Generations['health'] {
  return async () => {
    try {
      const workers = await readPollers(client, taskQueue);
      return workers.every(isSilent) ? ['worker'] : [];
    } catch (error) {
      log.warn({ err: error }, 'Temporal does not answer');
      return ['temporal'];
    }
  };
}
