import { ApplicationFailure } from '@temporalio/activity';
import { TaskErased } from '../ledger/task-erased.js';

/** A step whose task may have been erased meanwhile: then it is not tried again. */
export const refuseErased =
  <Input, Result>(step: (input: Input) => Promise<Result>) =>
  async (input: Input): Promise<Result> => {
    try {
      return await step(input);
    } catch (error) {
      if (!(error instanceof TaskErased)) throw error;
      throw ApplicationFailure.create({ message: error.message, type: error.name, nonRetryable: true });
    }
  };
