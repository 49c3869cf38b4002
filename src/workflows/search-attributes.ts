import { patched, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { attributePairs, type SearchAttributeValues } from '../contract/search-attributes.js';

const PATCH = 'search-attributes';

/** Writes those values that changed, in the workflow task that is under way. */
export type WriteSearchAttributes = (values: Partial<SearchAttributeValues>) => void;

/**
 * How a run's search attributes are kept in step: those that it was started with, and no other. Its namespace may not know
 * more, and then Temporal would refuse the workflow task for ever. null: it was started without any. MUST be called before
 * the workflow's first await.
 */
export function trackSearchAttributes(): WriteSearchAttributes | null {
  const startedWith = workflowInfo().typedSearchAttributes.getAll();
  if (startedWith.length === 0 || !patched(PATCH)) return null;
  const written = new Map<string, unknown>(startedWith.map(({ key, value }) => [key.name, value]));

  return (values) => {
    const known = attributePairs(values).filter(({ key }) => written.has(key.name));
    const changed = known.filter(({ key, value }) => written.get(key.name) !== value);
    if (changed.length > 0) upsertSearchAttributes(changed);
    for (const { key, value } of changed) written.set(key.name, value);
  };
}
