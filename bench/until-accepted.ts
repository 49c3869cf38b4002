import { setTimeout as rest } from 'node:timers/promises';

export interface Answer {
  status: number;
  /** In seconds. */
  retryAfter: string | undefined;
  body: Record<string, unknown>;
}

/** Sends a start until it is accepted, and returns that answer: who is refused, as there is too much to do, comes again when told to. */
export async function untilAccepted<A extends Answer>(send: () => Promise<A>): Promise<A> {
  for (;;) {
    const answer = await send();
    if (answer.status === 202) return answer;
    if (answer.status !== 503 && answer.status !== 429)
      throw new Error(`A start was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    await rest(Number(answer.retryAfter) * 1_000);
  }
}
