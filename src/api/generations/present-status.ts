import type { z } from 'zod';
import { isEnded, type Snapshot } from '../../contract/snapshot.js';
import type { FoundStatus } from '../../generations/types.js';
import type { RouteContext } from '../context.js';
import type { GenerationStatus } from './schemas.js';

type StatusBody = z.infer<typeof GenerationStatus>;

/** Answers with the state of a task. */
export function sendStatus(ctx: RouteContext, found: FoundStatus): void {
  if (!isEnded(found.snapshot)) ctx.set('Retry-After', '1');
  ctx.body = presentStatus(found);
}

/** What snapshots are in JSON: one is told many times, by polls and to everybody who follows it. */
const written = new WeakMap<Snapshot, string>();

/** What `presentStatus` says, in JSON. */
export function statusJson(found: FoundStatus): string {
  if (found.staleAsOf !== undefined) return JSON.stringify(presentStatus(found));
  const known = written.get(found.snapshot);
  if (known !== undefined) return known;
  const json = JSON.stringify(presentStatus(found));
  written.set(found.snapshot, json);
  return json;
}

/** A snapshot as clients see it: without what only the service needs. */
export function presentStatus({ snapshot, staleAsOf }: FoundStatus): StatusBody {
  const { seq, owner, repeated, ...body } = { repeated: undefined, ...snapshot };
  return staleAsOf === undefined ? body : { ...body, stale: true, as_of: staleAsOf };
}
