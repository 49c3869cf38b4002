import type { z } from 'zod';
import type { SupportTask, SupportTaskPage, SupportTaskReport } from '../api/support/schemas.js';
import type { Api } from './api.js';
import { harmless, table } from './table.js';

export const TASKS = '/api/v1/support/tasks/';
export const taskPath = (taskId: string): string => `${TASKS}${taskId}/`;

/** As the API answers them. */
export type Task = z.infer<typeof SupportTask>;
export type TaskPage = z.infer<typeof SupportTaskPage>;
export type TaskReport = z.infer<typeof SupportTaskReport>;

/** The API's limit of a page. */
const PAGE = 200;

/** What to find, as the API's parameters name it. */
export type Filter = Record<string, string | undefined>;

/** The newest tasks that are wanted, at most `limit`, over as many pages as that takes; `more`: there are older ones. */
export async function findTasks(api: Api, filter: Filter, limit: number): Promise<{ tasks: Task[]; more: boolean }> {
  const tasks: Task[] = [];
  let cursor: string | null = null;
  do {
    const page = (await api.get(TASKS, {
      ...filter,
      limit: Math.min(PAGE, limit - tasks.length),
      cursor: cursor ?? undefined,
    })) as TaskPage;
    tasks.push(...page.tasks);
    cursor = page.next_cursor;
  } while (cursor !== null && tasks.length < limit);
  return { tasks, more: cursor !== null };
}

export const taskTable = (tasks: readonly Task[]): string =>
  table(
    ['task', 'owner', 'created', 'state', 'code', 'charged', 'reason'],
    tasks.map((task) => [
      task.task_id,
      harmless(task.owner),
      task.created_at.slice(0, 19) + 'Z',
      task.state,
      task.error_code ?? '',
      String(task.tokens.charged),
      harmless(task.reason ?? ''),
    ]),
  );
