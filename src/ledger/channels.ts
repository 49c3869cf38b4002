/** PostgreSQL's NOTIFY: what workers say (src/feed), and the ids of tasks whose end is stored, from its own transaction. */
export const MESSAGES_CHANNEL = 'worker_messages';
export const ENDED_CHANNEL = 'generation_ended';
