import { createCheckTokens, type CheckTokensDeps } from './check-tokens.js';
import { createFinalize, type FinalizeDeps } from './finalize.js';
import { createGenerateWithAi, type GenerateWithAiDeps } from './generate-with-ai.js';
import { createInitialize, type InitializeDeps } from './initialize.js';
import { refuseErased } from './refuse-erased.js';

/** Everything the activities need of the world. */
export type ActivityDeps = InitializeDeps & CheckTokensDeps & GenerateWithAiDeps & FinalizeDeps;

/** The four steps of a generation, under the names that histories and the Web UI show. */
export const createActivities = (deps: ActivityDeps) => ({
  initialize: refuseErased(createInitialize(deps)),
  checkTokens: refuseErased(createCheckTokens(deps)),
  generateWithAI: createGenerateWithAi(deps),
  finalize: refuseErased(createFinalize(deps)),
});

export type Activities = ReturnType<typeof createActivities>;
export type { EraseActivities } from './erase-owner.js';
export type { Job } from './initialize.js';
export type { ReconcileActivities, Reconciled } from './reconcile.js';
