import type { Ledger } from '../ledger/types.js';
import { baseInstruction, composeRequest } from '../llm/compose-request.js';
import { workKeyOf } from '../llm/work-key.js';
import type { Logger } from '../log.js';
import { withDeadline } from '../with-deadline.js';
import { DEADLINE_MS } from './deps.js';

interface FindWorkDeps {
  ledger: Pick<Ledger, 'getBusiness'>;
  log: Logger;
  /** Which model every worker asks; undefined: they do not agree, or not all are heard. */
  modelId: () => string | undefined;
}

/**
 * The key of the work that a start would begin now, by the model and the template of now. undefined: it can't be known,
 * or its owner has no subscription; then the start begins as always, and the task tells its owner what is wrong.
 */
export const createFindWork =
  ({ ledger, log, modelId }: FindWorkDeps) =>
  async (owner: string, manualPrompt: string): Promise<string | undefined> => {
    const model = modelId();
    if (model === undefined) return undefined;
    try {
      const business = await withDeadline(ledger.getBusiness(owner), DEADLINE_MS.ledger);
      if (!business?.hasSubscription) return undefined;
      const { businessType, template } = business;
      const instruction = baseInstruction({ businessType, template: template?.text ?? null });
      return workKeyOf({
        modelId: model,
        templateVersion: template?.version ?? null,
        request: composeRequest(instruction, manualPrompt),
      });
    } catch (error) {
      log.warn({ err: error }, 'equal work could not be looked for: it is done anew');
      return undefined;
    }
  };
