import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Rolldown } from 'vite';

const TESTS = fileURLToPath(new URL('..', import.meta.url));

interface BundleOptions {
  /** Not bundled. */
  external?: RegExp[];
  /** As a page in development has it: React warns there, and in production it does not. */
  development?: boolean;
  /** Where the source stands, for its imports; web/test/ where absent. */
  folder?: string;
}

/** One script (an ES module) of a source text, which may import from `../src/…`. */
export async function bundle(source: string, options: BundleOptions = {}): Promise<string> {
  const { external = [], development = false, folder = TESTS } = options;
  const entry = join(folder, 'entry-of-a-test.tsx');
  const mode = development ? 'development' : 'production';
  const output = await build({
    configFile: false,
    logLevel: 'error',
    mode,
    root: folder,
    define: { 'process.env.NODE_ENV': JSON.stringify(mode) },
    plugins: [
      {
        name: 'source text',
        enforce: 'pre',
        resolveId: (id) => (id === entry ? id : null),
        load: (id) => (id === entry ? source : null),
      },
    ],
    build: {
      write: false,
      minify: !development,
      lib: { entry, formats: ['es'] },
      rolldownOptions: { external },
    },
  });
  const [{ output: chunks }] = output as [Rolldown.RolldownOutput];
  return chunks[0].code;
}
