import { ENDED_CHANNEL, MESSAGES_CHANNEL } from '../ledger/channels.js';
import type { Database } from '../ledger/database.js';
import { publishTold } from '../ledger/told.js';
import type { Logger } from '../log.js';
import type { Feed } from './feed.js';
import type { Message } from './messages.js';

/**
 * The feed between processes, by PostgreSQL's NOTIFY. What is announced is kept in the same statement as what was told
 * last of a task: so every process may tell what it heard, and none tells less while Temporal is away.
 */
export const createPostgresFeed = (database: Pick<Database, 'query' | 'run' | 'listen'>, log: Logger): Feed => ({
  publish: (message) => publishTold(database, JSON.stringify(message), message.states),

  listen: ({ message, ended, connected, disconnected }) =>
    database.listen({
      channels: [MESSAGES_CHANNEL, ENDED_CHANNEL],
      notification(channel, payload) {
        if (channel === ENDED_CHANNEL) ended(payload);
        else {
          try {
            message(JSON.parse(payload) as Message);
          } catch (error) {
            log.warn({ err: error }, 'a message of a worker could not be understood');
          }
        }
      },
      connected,
      disconnected,
    }),
});
