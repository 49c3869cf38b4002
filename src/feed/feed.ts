import type { Message } from './messages.js';

/** What an API process hears. Called in the order in which things happened at each worker. */
export interface Listener {
  message: (message: Message) => void;
  /** The end of a task is stored. */
  ended: (taskId: string) => void;
  /** From here on everything is heard; before, something may have been missed. */
  connected: () => void;
  /** Nothing is heard until `connected`. */
  disconnected: () => void;
}

/** The way from workers to API processes. Nothing in it is kept: who does not listen has missed it. */
export interface Feed {
  /** Throws where it can't be sent now; sent again it may arrive twice. */
  publish(message: Message): Promise<void>;
  /** Listens until the result is called; connects again by itself whenever it has to. */
  listen(listener: Listener): Promise<() => Promise<void>>;
}
