/** What frontend teams take home: the component, the hook, and the client beneath them. */
export * from './client.js';
export { useGeneratePrompt, type UseGeneratePrompt } from './use-generate-prompt.js';
export {
  GeneratePrompt,
  GeneratePromptView,
  type GeneratePromptProps,
  type GeneratePromptViewProps,
} from './generate-prompt/generate-prompt.js';
export type { ActionTarget, ActionTargets } from './generate-prompt/problem.js';
export { english, type Texts } from './generate-prompt/texts.js';
export { persian } from './generate-prompt/persian.js';
