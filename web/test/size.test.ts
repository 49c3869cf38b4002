import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { bundle } from './support/bundle.js';

/** Bytes, gzipped, of what a page loads for this import, without React. */
async function sizeOf(name: string): Promise<number> {
  const code = await bundle(`export { ${name} } from '../src/index.js';`, { external: [/^react/] });
  assert.match(code, new RegExp(`as ${name}\\b`), 'it is in the bundle');
  return gzipSync(code, { level: 9 }).length;
}

describe('The web client', function () {
  this.timeout(60_000);

  it('costs a page less than 6 kB for the hook', async () => {
    const bytes = await sizeOf('useGeneratePrompt');
    assert.ok(bytes < 6_000, `${bytes} bytes`);
  });

  it('costs a page less than 12 kB for the component', async () => {
    const bytes = await sizeOf('GeneratePrompt');
    assert.ok(bytes < 12_000, `${bytes} bytes`);
  });

  it('is not larger for texts in a language that is not used', async () => {
    const code = await bundle(`export { GeneratePrompt } from '../src/index.js';`, { external: [/^react/] });
    assert.doesNotMatch(code, /\p{Script=Arabic}/u);
  });
});
