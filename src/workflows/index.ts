export { eraseOwner } from './erase-owner.js';
export { generateBatch } from './generate-batch.js';
export { generatePrompt } from './generate-prompt.js';
export { reconcile } from './reconcile.js';
