import { Client, Connection, type ConnectionLike } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { NativeConnection } from '@temporalio/worker';
import type { TemporalTarget } from './config.js';

/** The API's client. Connects at the first call, so that the API starts and answers what it can while Temporal is away. */
export const connectClient = (
  { connectionOptions, namespace }: TemporalTarget,
  dataConverter: DataConverter = {},
): Client => clientOver(Connection.lazy(connectionOptions), namespace, dataConverter);

/** Queries of closed workflows are rejected: their result is read instead, which needs no worker and no replay. */
export const clientOver = (connection: ConnectionLike, namespace: string, dataConverter: DataConverter): Client =>
  new Client({ connection, namespace, dataConverter, workflow: { queryRejectCondition: 'NOT_OPEN' } });

/** The worker's connection. Throws when Temporal does not answer. */
export const connectWorker = ({ connectionOptions }: TemporalTarget): Promise<NativeConnection> =>
  NativeConnection.connect(connectionOptions);
