/** The client without a framework: for Vue, Svelte, or a plain page. */
export {
  BatchError,
  cancelBatch,
  generateBatch,
  type Batch,
  type BatchCounts,
  type BatchItem,
  type BatchOptions,
} from './client/batch.js';
export { createGenerationClient, type GenerationClient } from './client/generation-client.js';
export {
  IDLE,
  isActive,
  type Action,
  type Connection,
  type Detail,
  type ErrorCode,
  type Generation,
  type GenerationClientOptions,
  type Tokens,
  type TokenSource,
  type Usage,
} from './client/types.js';
