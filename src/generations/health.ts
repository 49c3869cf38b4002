import type { GenerationsDeps } from './deps.js';
import { readPollers } from './pollers.js';
import type { Generations } from './types.js';

/** Whether Temporal answers, and whether a worker polls our task queue. */
export function createHealth({ client, log, taskQueue }: GenerationsDeps): Generations['health'] {
  return async () => {
    try {
      return (await readPollers(client, taskQueue)).length > 0 ? [] : ['worker'];
    } catch (error) {
      log.warn({ err: error }, 'Temporal does not answer');
      return ['temporal'];
    }
  };
}
