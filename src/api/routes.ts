import type { CodecServer } from '../encryption/codec-server.js';
import type { Generations } from '../generations/types.js';
import type { Ledger, StartLimits } from '../ledger/types.js';
import type { Logger } from '../log.js';
import type { Support } from '../helpdesk/types.js';
import { getAccount, getOwnAccount } from './accounts/get-account.js';
import { grantTokens } from './accounts/grant-tokens.js';
import { listLedger } from './accounts/list-ledger.js';
import { putAccount } from './accounts/put-account.js';
import { listActions } from './audit/list-actions.js';
import { codec } from './codec/codec.js';
import { ownerData } from './erasure/owner-data.js';
import { cancelBatch } from './batches/cancel-batch.js';
import { readBatch } from './batches/read-batch.js';
import { startBatch } from './batches/start-batch.js';
import { cancelGeneration } from './generations/cancel-generation.js';
import { generateAndWait } from './generations/generate-and-wait.js';
import { listGenerations } from './generations/list-generations.js';
import { readStatus } from './generations/read-status.js';
import { startGeneration } from './generations/start-generation.js';
import type { TaskCookies } from './generations/task-cookie.js';
import type { ApiMetrics } from '../metrics/api-metrics.js';
import type { Route } from './route.js';
import { docs } from './service/docs.js';
import { openapi } from './service/openapi.js';
import { page } from './service/page.js';
import { pageConfig, type PageOptions } from './service/page-config.js';
import { livez, readyz } from './service/probes.js';
import { cancelTask } from './support/cancel-task.js';
import { doctor } from './support/doctor.js';
import { exportHistory } from './support/export-history.js';
import { findTasks } from './support/find-tasks.js';
import { retryTask } from './support/retry-task.js';
import { revealTexts } from './support/reveal-texts.js';
import { showTask } from './support/show-task.js';
import { putTemplate } from './templates/put-template.js';

/** What the routes need. */
export interface RouteDeps {
  generations: Generations;
  ledger: Ledger;
  support: Support;
  log: Logger;
  /** Of each owner. */
  limits: StartLimits;
  cookies: TaskCookies;
  metrics: ApiMetrics;
  page: PageOptions;
  codec: CodecServer;
  /** Aborted when this process is about to stop. */
  leaving: AbortSignal;
  /** Aborted when it stops. */
  stopping: AbortSignal;
}

/** Everything this API answers, in the order of the document. */
export function createRoutes(deps: RouteDeps): Route[] {
  const routes = [
    startGeneration(deps),
    readStatus(deps),
    ...cancelGeneration(deps),
    startBatch(deps),
    readBatch(deps),
    ...cancelBatch(deps),
    listGenerations(deps),
    generateAndWait(deps),
    getOwnAccount(deps),
    putAccount(deps),
    getAccount(deps),
    grantTokens(deps),
    listLedger(deps),
    putTemplate(deps),
    ...ownerData(deps),
    listActions(deps),
    findTasks(deps),
    showTask(deps),
    revealTexts(deps),
    cancelTask(deps),
    retryTask(deps),
    exportHistory(deps),
    doctor(deps),
    ...codec(deps),
    livez(),
    readyz(deps),
    ...docs(),
    ...page(),
    pageConfig(deps.page),
  ];
  return [...routes, openapi(routes)];
}
