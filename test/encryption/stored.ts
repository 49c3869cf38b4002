import type { ConnectionLike } from '@temporalio/client';

/** Everything Temporal keeps of a run, as it keeps it: no codec in between. */
export interface Stored {
  /** Every text and every byte of its history and description but its search attributes, bytes as Latin-1. */
  text: string;
  /** The same of its search attributes, which Temporal has to read. */
  searchAttributes: string;
  /** The `encoding` of each other payload, but for the name of the workflow's version, which the SDK itself writes down. */
  encodings: string[];
  /** The key ids of the encrypted ones. */
  keyIds: string[];
}

type Collected = Omit<Stored, 'text' | 'searchAttributes'> & { texts: string[]; searched: string[] };

export async function storedOf(connection: ConnectionLike, workflowId: string, namespace = 'default'): Promise<Stored> {
  const execution = { workflowId };
  const [history, description] = await Promise.all([
    connection.workflowService.getWorkflowExecutionHistory({ namespace, execution }),
    connection.workflowService.describeWorkflowExecution({ namespace, execution }),
  ]);
  const collected: Collected = { texts: [], searched: [], encodings: [], keyIds: [] };
  collect([history, description], collected);
  const { texts, searched, ...rest } = collected;
  return { text: texts.join('\n'), searchAttributes: searched.join('\n'), ...rest };
}

const VERSION_MARKER = 'core_patch';

function collect(value: unknown, into: Collected, searched = false): void {
  const texts = searched ? into.searched : into.texts;
  if (typeof value === 'string') texts.push(value);
  else if (value instanceof Uint8Array) texts.push(Buffer.from(value).toString('latin1'));
  else if (typeof value === 'object' && value !== null) {
    if ('markerName' in value && value.markerName === VERSION_MARKER) return;
    if (!searched && 'metadata' in value) noteEncoding(value.metadata, into);
    for (const [name, part] of Object.entries(value)) collect(part, into, searched || name === 'searchAttributes');
  }
}

function noteEncoding(metadata: unknown, into: Collected): void {
  if (typeof metadata !== 'object' || metadata === null || !('encoding' in metadata)) return;
  const { encoding, 'encryption-key-id': keyId } = metadata as Record<string, Uint8Array>;
  into.encodings.push(Buffer.from(encoding!).toString());
  if (keyId) into.keyIds.push(Buffer.from(keyId).toString());
}
