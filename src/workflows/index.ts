export { generatePrompt } from './generate-prompt.js';
export { reconcile } from './reconcile.js';
