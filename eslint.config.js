import importX, { createNodeResolver } from 'eslint-plugin-import-x';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

/**
 * Imports point one way (docs/architecture.md): what each folder of src/ may not import.
 * `types` lists folders of which only types may be imported.
 */
const layers = [
  { folder: 'contract', never: ['*'] },
  {
    folder: 'encryption',
    never: ['workflows', 'activities', 'generations', 'helpdesk', 'api', 'llm', 'dev', 'simulator', 'worker'],
  },
  {
    folder: 'workflows',
    never: ['generations', 'helpdesk', 'api', 'encryption', 'ledger', 'llm', 'dev', 'simulator', 'worker'],
    types: ['activities'],
  },
  {
    folder: 'activities',
    never: ['workflows', 'generations', 'helpdesk', 'api', 'encryption', 'dev', 'simulator', 'worker'],
  },
  {
    folder: 'ledger',
    never: [
      'workflows',
      'activities',
      'generations',
      'helpdesk',
      'api',
      'encryption',
      'llm',
      'dev',
      'simulator',
      'worker',
    ],
  },
  {
    folder: 'llm',
    never: [
      'workflows',
      'activities',
      'generations',
      'helpdesk',
      'api',
      'encryption',
      'ledger',
      'dev',
      'simulator',
      'worker',
    ],
  },
  {
    folder: 'generations',
    never: ['activities', 'helpdesk', 'api', 'dev', 'simulator', 'worker'],
    types: ['workflows'],
  },
  { folder: 'helpdesk', never: ['workflows', 'activities', 'api', 'dev', 'simulator', 'worker'] },
  { folder: 'api', never: ['workflows', 'activities', 'llm', 'dev', 'simulator', 'worker'] },
  {
    folder: 'support-cli',
    never: [
      'workflows',
      'activities',
      'generations',
      'helpdesk',
      'ledger',
      'llm',
      'encryption',
      'dev',
      'simulator',
      'worker',
    ],
  },
  {
    folder: 'replay',
    never: [
      'workflows',
      'activities',
      'generations',
      'helpdesk',
      'api',
      'ledger',
      'llm',
      'encryption',
      'dev',
      'simulator',
      'worker',
    ],
  },
  // Both look at the others from outside: metrics borrow the API's way to listen.
  { folder: 'metrics', never: ['workflows', 'encryption', 'dev', 'simulator', 'worker'], types: ['activities'] },
  {
    folder: 'tracing',
    never: [
      'workflows',
      'activities',
      'generations',
      'api',
      'encryption',
      'ledger',
      'metrics',
      'dev',
      'simulator',
      'worker',
    ],
  },
  { folder: 'dev', never: ['simulator'] },
  { folder: 'simulator', never: ['workflows', 'worker', 'start-worker', 'temporal-connection'] },
];

const patternsOf = ({ folder, never, types = [] }) => [
  ...never.map((other) =>
    other === '*'
      ? { regex: '^(\\.\\./|node:|[^.])', message: `src/${folder} imports nothing from outside itself.` }
      : { regex: `^\\.\\./${other}(/|\\.js$)`, message: `src/${folder} must not import src/${other}.` },
  ),
  ...types.map((other) => ({
    regex: `^\\.\\./${other}/`,
    allowTypeImports: true,
    message: `src/${folder} may only import types of src/${other}.`,
  })),
];

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.data/', 'web/dist/'] },
  {
    files: ['**/*.{ts,tsx}'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
  },
  {
    files: ['**/*.{ts,tsx}'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [createNodeResolver({ extensionAlias: { '.js': ['.ts', '.tsx', '.js'] } })],
      'import-x/ignore': ['node_modules'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts', '.tsx'] },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      'import-x/no-default-export': 'error',
      'no-console': 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/config.ts', 'src/dev/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Read settings through src/config.ts.' },
      ],
    },
  },
  ...layers.map((layer) => ({
    files: [`src/${layer.folder}/**/*.ts`],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns: patternsOf(layer) }] },
  })),
  { files: ['web/**/*.{ts,tsx}'], ...reactHooks.configs.flat.recommended },
  ...[
    { files: ['web/src/**/*.{ts,tsx}'], packages: '^(?!react|\\.)' },
    { files: ['web/src/*.ts', 'web/src/generate-prompt/**'], packages: '^(?!react$|\\.)' },
    { files: ['web/src/client/**/*.ts', 'web/src/client.ts'], packages: '^(?!\\.)' },
  ].map(({ files, packages }) => ({
    files,
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            { regex: '^(\\.\\./)+src/(?!contract/)', message: 'Of the service web/ imports only src/contract.' },
            { regex: packages, message: 'What teams take home depends on React at most, its client on nothing.' },
          ],
        },
      ],
    },
  })),
  { files: ['**/vite.config.ts'], rules: { 'import-x/no-default-export': 'off' } },
  {
    files: ['test/**/*.ts', 'web/test/**/*.{ts,tsx}'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off', '@typescript-eslint/no-unused-expressions': 'off' },
  },
  { files: ['bench/**/*.ts', 'scripts/**/*.ts', 'test/support/reporter.ts'], rules: { 'no-console': 'off' } },
);
