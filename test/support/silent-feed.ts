import type { InjectedSinks } from '@temporalio/worker';
import type { FeedSinks } from '../../src/workflows/progress.js';

/** For workers of tests that nobody listens to. */
export const SILENT_FEED: InjectedSinks<FeedSinks> = { feed: { announce: { fn: () => undefined } } };
