import type { WorkflowExecutionDescription } from '@temporalio/client';
import proto from '@temporalio/proto';

const { WorkflowExecutionStatus } = proto.temporal.api.enums.v1;

/** Whether a run goes on, as `describe` tells it. */
export const isOpen = ({ workflowExecutionInfo: info }: WorkflowExecutionDescription['raw']): boolean =>
  info?.status === WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING;
