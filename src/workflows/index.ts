export { eraseOwner } from './erase-owner.js';
export { generatePrompt } from './generate-prompt.js';
export { reconcile } from './reconcile.js';
