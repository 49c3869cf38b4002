import { Client, Connection, type ConnectionLike, type WorkflowClientInterceptor } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { NativeConnection } from '@temporalio/worker';
import type { TemporalTarget } from './config.js';

/**
 * How soon a lost connection is tried again, in ms: by itself gRPC waits longer from time to time, up to two minutes, in which
 * a Temporal that is back would still be away for this process.
 */
const RECONNECT = { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 1_000 };

/** The API's client. Connects at the first call, so that the API starts and answers what it can while Temporal is away. */
export const connectClient = (
  { connectionOptions, namespace }: TemporalTarget,
  dataConverter: DataConverter = {},
  interceptors: WorkflowClientInterceptor[] = [],
): Client =>
  clientOver(Connection.lazy({ ...connectionOptions, channelArgs: RECONNECT }), namespace, dataConverter, interceptors);

/** Queries of closed workflows are rejected: their result is read instead, which needs no worker and no replay. */
export const clientOver = (
  connection: ConnectionLike,
  namespace: string,
  dataConverter: DataConverter,
  interceptors: WorkflowClientInterceptor[] = [],
): Client =>
  new Client({
    connection,
    namespace,
    dataConverter,
    interceptors: { workflow: interceptors },
    workflow: { queryRejectCondition: 'NOT_OPEN' },
  });

/** The worker's connection. Throws when Temporal does not answer. */
export const connectWorker = ({ connectionOptions }: TemporalTarget): Promise<NativeConnection> =>
  NativeConnection.connect(connectionOptions);
