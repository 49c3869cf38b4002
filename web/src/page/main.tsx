import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import '../generate-prompt/generate-prompt.css';
import './page.css';
import { report } from '../client/http.js';
import { readPageConfig } from './api.js';
import { Page } from './page.js';

const root = document.getElementById('prompt-generation');
if (!root) throw new Error('The page has no element with the id prompt-generation');
const config = await readPageConfig().catch((error: unknown) => {
  // Everything but the demo account and some links works without it, and what does not will say so.
  report(error);
  return { demo_model: false };
});
createRoot(root).render(
  <StrictMode>
    <Page config={config} />
  </StrictMode>,
);
