/**
 * Does the work for a key once at a time: whoever asks while it is under way is answered by the next time, together with all
 * others that do. So an answer is never older than its question, and many questions are no more work than a few.
 */
export function oneAtATime<T>(work: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const running = new Map<string, { now: Promise<T>; next?: Promise<T> }>();

  function begin(key: string): Promise<T> {
    const turn: { now: Promise<T>; next?: Promise<T> } = { now: work(key) };
    running.set(key, turn);
    const over = (): void => {
      if (!turn.next) running.delete(key);
    };
    turn.now.then(over, over);
    return turn.now;
  }

  return (key) => {
    const turn = running.get(key);
    if (!turn) return begin(key);
    const again = (): Promise<T> => begin(key);
    return (turn.next ??= turn.now.then(again, again));
  };
}
