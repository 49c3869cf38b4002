import { Marked } from 'marked';
import type { Route } from '../route.js';
import { HTML, readRepositoryFile, sendFile, staticFile } from './static-files.js';

const PAGES = [
  {
    id: 'docs',
    path: '/docs',
    file: 'docs/api.md',
    title: 'Prompt generation API',
    summary: 'This reference, to be read',
  },
  {
    id: 'guide',
    path: '/docs/guide',
    file: 'docs/ASYNC_PROMPT_GENERATION_GUIDE.md',
    title: 'Prompt generation in your page',
    summary: 'How to build it into a page',
  },
  {
    id: 'simulatorGuide',
    path: '/docs/simulator',
    file: 'docs/simulator.md',
    title: 'Every state in a minute',
    summary: 'How to see every state of a page',
  },
];

/** GET /docs and what is beside it: the documents for frontend teams as pages. */
export function docs(): Route[] {
  const template = readRepositoryFile('dist/web/docs.html');
  return PAGES.map(({ id, path, file, title, summary }) => {
    const loaded = staticFile(renderDocs(readRepositoryFile(file), { template, title }), HTML);
    return {
      method: 'get',
      path,
      access: 'public',
      operation: {
        id,
        tag: 'Service',
        summary,
        answers: { 200: { description: 'A page.', contentTypes: [HTML], headers: ['ETag'] } },
      },
      handle(ctx) {
        sendFile(ctx, loaded);
      },
    };
  });
}

/** How the files of docs/ link to each other, and where those are served. */
const LINKS: [file: string, path: string][] = [
  ['href="api.md', 'href="/docs'],
  ['href="ASYNC_PROMPT_GENERATION_GUIDE.md', 'href="/docs/guide'],
  ['href="simulator.md', 'href="/docs/simulator'],
];

/** A Markdown text in its page: its headings get anchors, and those of level 2 are listed at its side. */
export function renderDocs(markdown: string, page: { template: string; title: string }): string {
  const contents: string[] = [];
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text }) {
        const anchor = anchorOf(text);
        const html = this.parser.parseInline(tokens);
        if (depth === 2) contents.push(`<li><a href="#${anchor}">${html}</a></li>`);
        return `<h${depth} id="${anchor}"><a class="anchor" href="#${anchor}">${html}</a></h${depth}>\n`;
      },
    },
  });
  const content = marked
    .parse(markdown, { async: false })
    // What is wide scrolls by itself instead of making the whole page scroll; the keyboard has to reach it for that.
    .replaceAll('<pre>', '<pre tabindex="0">')
    .replaceAll('<table>', '<div class="table" tabindex="0"><table>')
    .replaceAll('</table>', '</table></div>');
  const linked = LINKS.reduce((html, [file, path]) => html.replaceAll(file, path), content);
  const parts: Record<string, string> = { title: page.title, contents: contents.join('\n'), content: linked };
  return page.template.replace(/\{\{(\w+)\}\}/g, (_, part: string) => parts[part] ?? '');
}

/** As GitHub makes them, so that links work in both. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');
