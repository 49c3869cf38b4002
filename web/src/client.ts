/** The client without a framework: for Vue, Svelte, or a plain page. */
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
