import { Marked } from 'marked';
import type { Route } from '../route.js';
import { HTML, readRepositoryFile, sendFile, staticFile } from './static-files.js';

/** GET /docs: docs/api.md as a page. */
export function docs(): Route {
  const loaded = staticFile(renderDocs(readRepositoryFile('docs/api.md')), HTML);
  return {
    method: 'get',
    path: '/docs',
    access: 'public',
    operation: {
      id: 'docs',
      tag: 'Service',
      summary: 'This reference, to be read',
      answers: { 200: { description: 'A page.', contentType: HTML, headers: ['ETag'] } },
    },
    handle(ctx) {
      sendFile(ctx, loaded);
    },
  };
}

/** The page of a Markdown text: its headings get anchors, and those of level 2 are listed at its side. */
export function renderDocs(markdown: string): string {
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
    // Wide tables scroll by themselves instead of making the whole page scroll.
    .replaceAll('<table>', '<div class="table" tabindex="0"><table>')
    .replaceAll('</table>', '</table></div>');
  return pageOf(content, contents.join('\n'));
}

/** As GitHub makes them, so that links work in both. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');

const pageOf = (content: string, contents: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Prompt generation API</title>
<link rel="stylesheet" href="/style.css">
</head>
<body class="docs">
<a class="skip" href="#content">Skip to content</a>
<nav aria-label="Contents">
<p><a href="/">Try it</a> · <a href="/openapi.json">OpenAPI</a></p>
<ol>
${contents}
</ol>
</nav>
<main id="content">
${content}
</main>
</body>
</html>
`;
