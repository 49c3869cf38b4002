import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection } from '@temporalio/worker';

const DEFAULT_NAMESPACE = 'default';

/** Where Temporal is. `embeddedAddress` (host:port) stands in for the TEMPORAL_* settings where none is set. */
export function temporalTarget(embeddedAddress?: string) {
  const { connectionOptions, namespace } = embeddedAddress
    ? { connectionOptions: { address: embeddedAddress }, namespace: undefined }
    : loadClientConnectConfig();
  return { connectionOptions, namespace: namespace ?? DEFAULT_NAMESPACE };
}

export type TemporalTarget = ReturnType<typeof temporalTarget>;

/**
 * The API's client. Connects at the first call, so that the API starts and answers what it can while Temporal is away.
 * Queries of closed workflows are rejected: their result is read instead, which needs no worker and no replay.
 */
export const connectClient = ({ connectionOptions, namespace }: TemporalTarget): Client =>
  new Client({
    connection: Connection.lazy(connectionOptions),
    namespace,
    workflow: { queryRejectCondition: 'NOT_OPEN' },
  });

/** The worker's connection. Throws when Temporal does not answer. */
export const connectWorker = ({ connectionOptions }: TemporalTarget): Promise<NativeConnection> =>
  NativeConnection.connect(connectionOptions);
