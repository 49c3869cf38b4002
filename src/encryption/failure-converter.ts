import { DefaultFailureConverter } from '@temporalio/common';

/**
 * Puts messages and stacks of failures into a payload, which the codec encrypts: they may quote what a user wrote. The
 * SDK loads this module by its path, in the worker and inside the workflow bundle, so it MUST import nothing of Node.
 */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
