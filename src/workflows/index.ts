export { generatePrompt } from './generate-prompt.js';
