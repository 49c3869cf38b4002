import type { Database } from '../ledger/database.js';
import { ENDED_CHANNEL } from '../ledger/channels.js';
import type { Feed, Listener } from './feed.js';

/** The feed within one process, which has the database for itself; the ends of tasks come from their transactions all the same. */
export function createLocalFeed(database: Pick<Database, 'listen'>): Feed {
  const listeners = new Set<Listener>();
  return {
    publish(message) {
      for (const listener of listeners) listener.message(message);
      return Promise.resolve();
    },
    async listen(listener) {
      const stop = await database.listen({
        channels: [ENDED_CHANNEL],
        notification: (_, taskId) => {
          listener.ended(taskId);
        },
        connected: () => {
          listeners.add(listener);
          listener.connected();
        },
        disconnected: () => {
          listener.disconnected();
        },
      });
      return async () => {
        listeners.delete(listener);
        await stop();
      };
    },
  };
}
