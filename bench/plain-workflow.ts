import { proxyActivities } from '@temporalio/workflow';

const { step } = proxyActivities<{ step(): Promise<void> }>({ startToCloseTimeout: 10_000 });

/** Four activities that do nothing, one after the other: what any workflow of four steps costs. */
export async function fourSteps(): Promise<void> {
  for (let n = 0; n < 4; n += 1) await step();
}
