import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import '../generate-prompt/generate-prompt.css';
import './page.css';
import { readPageConfig } from './api.js';
import { Page } from './page.js';

const root = document.getElementById('prompt-generation');
if (!root) throw new Error('The page has no element with the id prompt-generation');
const config = await readPageConfig();
createRoot(root).render(
  <StrictMode>
    <Page config={config} />
  </StrictMode>,
);
