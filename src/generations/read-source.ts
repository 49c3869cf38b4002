/**
 * What answered a read of a status, from the cheapest: this process's memory, the read of somebody else that was
 * under way; the workflow, its result, its memo; the ledger's row, what was told last (`busy`: as too many
 * tasks are asked for). `none`: nobody knows the task, or
 * nobody can be asked.
 */
export const READ_SOURCES = ['memory', 'shared', 'query', 'result', 'memo', 'row', 'busy', 'told', 'none'] as const;

export type ReadSource = (typeof READ_SOURCES)[number];
