import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Builds the pages that the API serves; `npx vite web` serves them with reloading, beside an `npm start`. */
export default defineConfig({
  root: at('.'),
  // The page works behind any prefix of a proxy. The documents, which stand at two depths (/docs, /docs/guide), do not.
  base: './',
  experimental: { renderBuiltUrl: (file, { hostId }) => (hostId.endsWith('docs.html') ? `/${file}` : undefined) },
  build: {
    outDir: at('../dist/web'),
    emptyOutDir: true,
    rolldownOptions: { input: { index: at('index.html'), docs: at('docs.html') } },
    // The first that know light-dark(): else it is rewritten to what looks at the page's own style sheets only.
    target: ['chrome123', 'edge123', 'firefox120', 'safari17.5'],
    // Every browser that knows light-dark() preloads modules by itself.
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:3000', '/page-config.json': 'http://127.0.0.1:3000' } },
});
