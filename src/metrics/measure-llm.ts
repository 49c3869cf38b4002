import { LlmError, type Llm } from '../llm/llm.js';
import type { WorkerMetrics } from './worker-metrics.js';

/** How a request to the model ended. `unavailable`: another may work; `refused`: not. */
type Outcome = 'ok' | 'unavailable' | 'refused' | 'timeout' | 'cancelled';

/** A model whose requests are measured. */
export const measureLlm = (
  llm: Llm,
  { llmSeconds, llmFailures, llmFirstTextSeconds, llmTokens }: WorkerMetrics,
): Llm => ({
  async generate(request, options) {
    const seconds = stopwatch();
    let isFirst = true;
    const onText = (text: string): void => {
      if (isFirst) llmFirstTextSeconds.observe(seconds());
      isFirst = false;
      options.onText(text);
    };
    try {
      const answer = await llm.generate(request, { ...options, onText });
      llmSeconds.observe({ outcome: 'ok' }, seconds());
      llmTokens.inc({ kind: 'prompt' }, answer.usage.prompt_tokens);
      llmTokens.inc({ kind: 'completion' }, answer.usage.completion_tokens);
      return answer;
    } catch (error) {
      const outcome = outcomeOf(error);
      llmSeconds.observe({ outcome }, seconds());
      if (outcome !== 'cancelled') llmFailures.inc({ outcome, status: statusOf(error) });
      throw error;
    }
  },
});

function outcomeOf(error: unknown): Outcome {
  if (error instanceof LlmError) return error.retryable ? 'unavailable' : 'refused';
  return error instanceof Error && error.name === 'TimeoutError' ? 'timeout' : 'cancelled';
}

const statusOf = (error: unknown): string =>
  error instanceof LlmError && error.status !== undefined ? String(error.status) : '';

function stopwatch(): () => number {
  const begun = performance.now();
  return () => (performance.now() - begun) / 1000;
}
