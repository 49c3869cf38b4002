import type { ConnectionLike } from '@temporalio/client';

/** Everything Temporal keeps of a run, as it keeps it: no codec in between. */
export interface Stored {
  /** Every text and every byte of its history and description, bytes as Latin-1. */
  text: string;
  /** The `encoding` of each payload; search attributes, which Temporal has to read, are none. */
  encodings: string[];
  /** The key ids of the encrypted ones. */
  keyIds: string[];
}

type Collected = Omit<Stored, 'text'> & { texts: string[] };

export async function storedOf(connection: ConnectionLike, workflowId: string, namespace = 'default'): Promise<Stored> {
  const execution = { workflowId };
  const [history, description] = await Promise.all([
    connection.workflowService.getWorkflowExecutionHistory({ namespace, execution }),
    connection.workflowService.describeWorkflowExecution({ namespace, execution }),
  ]);
  const collected: Collected = { texts: [], encodings: [], keyIds: [] };
  collect([history, description], collected);
  const { texts, ...rest } = collected;
  return { text: texts.join('\n'), ...rest };
}

function collect(value: unknown, into: Collected, isPayload = true): void {
  if (typeof value === 'string') into.texts.push(value);
  else if (value instanceof Uint8Array) into.texts.push(Buffer.from(value).toString('latin1'));
  else if (typeof value === 'object' && value !== null) {
    if (isPayload && 'metadata' in value) noteEncoding(value.metadata, into);
    for (const [name, part] of Object.entries(value)) collect(part, into, isPayload && name !== 'searchAttributes');
  }
}

function noteEncoding(metadata: unknown, into: Collected): void {
  if (typeof metadata !== 'object' || metadata === null || !('encoding' in metadata)) return;
  const { encoding, 'encryption-key-id': keyId } = metadata as Record<string, Uint8Array>;
  into.encodings.push(Buffer.from(encoding!).toString());
  if (keyId) into.keyIds.push(Buffer.from(keyId).toString());
}
