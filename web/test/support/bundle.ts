import { fileURLToPath } from 'node:url';
import { build, type Rolldown } from 'vite';

const ENTRY = fileURLToPath(new URL('../entry-of-a-test.tsx', import.meta.url));

interface BundleOptions {
  /** Not bundled. */
  external?: RegExp[];
  /** As a page in development has it: React warns there, and in production it does not. */
  development?: boolean;
  /** Where packages are looked for, in place of this repository. */
  root?: string;
  alias?: Record<string, string>;
}

/** One script (an ES module) of a source text, which may import from `../src/…`. */
export async function bundle(source: string, options: BundleOptions = {}): Promise<string> {
  const { external = [], development = false, alias = {} } = options;
  const mode = development ? 'development' : 'production';
  const output = await build({
    configFile: false,
    logLevel: 'error',
    mode,
    root: fileURLToPath(new URL('../..', import.meta.url)),
    define: { 'process.env.NODE_ENV': JSON.stringify(mode) },
    resolve: { alias },
    plugins: [
      {
        name: 'source text',
        enforce: 'pre',
        resolveId: (id) => (id === ENTRY ? id : null),
        load: (id) => (id === ENTRY ? source : null),
      },
    ],
    build: {
      write: false,
      minify: !development,
      lib: { entry: ENTRY, formats: ['es'] },
      rolldownOptions: { external },
    },
  });
  const [{ output: chunks }] = output as [Rolldown.RolldownOutput];
  return chunks[0].code;
}
