import { sleep } from '@temporalio/workflow';
import type { GeneratePromptInput } from '../../../src/contract/names.js';
import type { EndedSnapshot } from '../../../src/contract/snapshot.js';
import { generatePrompt as generateAsToday } from '../../../src/workflows/generate-prompt.js';

export { reconcile } from '../../../src/workflows/reconcile.js';

/** Changed in a way that no run of today's code can be replayed with. */
export async function generatePrompt(input: GeneratePromptInput): Promise<EndedSnapshot> {
  await sleep(1);
  return generateAsToday(input);
}
