import { createHash } from 'node:crypto';
import { isEnded } from '../../contract/snapshot.js';
import type { FoundStatus } from '../../generations/types.js';

/**
 * Names what a status says: two with the same tag say the same. The tag of an answer, and the id of an event; it grows
 * with the snapshot's `seq`.
 */
export function tagOf({ snapshot, staleAsOf }: FoundStatus): string {
  // Support may have one that ended run again, to another end.
  if (isEnded(snapshot)) return `${snapshot.seq}.${Date.parse(snapshot.updated_at)}`;
  const { seq } = snapshot;
  const again = 'repeated' in snapshot ? '.again' : '';
  if (staleAsOf === undefined) return `${seq}${again}`;
  // What a stale one waits for changes without a step.
  const moment = createHash('sha256')
    .update(JSON.stringify([staleAsOf, 'detail' in snapshot ? snapshot.detail : null]))
    .digest('base64url');
  return `${seq}${again}.${moment.slice(0, 12)}`;
}
