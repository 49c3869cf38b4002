/** Which generation it is, and whose. */
export interface Task {
  taskId: string;
  owner: string;
}
