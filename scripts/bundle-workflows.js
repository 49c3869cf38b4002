// Bundles the compiled workflow code for the worker (src/start-worker.ts): the last step of `npm run build`.
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const dist = new URL('../dist/', import.meta.url);
const pathOf = (file) => fileURLToPath(new URL(file, dist));
const bundle = async (file, options = {}) => {
  const workflowsPath = pathOf('workflows/index.js');
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN'), ...options });
  await writeFile(pathOf(file), code);
};
const encrypted = { failureConverterPath: pathOf('encryption/failure-converter.js') };
const traced = { workflowInterceptorModules: [pathOf('workflows/trace/interceptors.js')] };
await bundle('workflow-bundle.js');
await bundle('workflow-bundle-encrypted.js', encrypted);
await bundle('workflow-bundle-traced.js', traced);
await bundle('workflow-bundle-encrypted-traced.js', { ...encrypted, ...traced });
