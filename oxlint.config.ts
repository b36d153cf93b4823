import { defineConfig, type OxlintConfig, type OxlintOverride } from 'oxlint'

/**
 * Which of our entries the shipped code of each package may import: core <- server <- adapter-*, core <- http-client <-
 * start-client, core <- query-core <- react. What is not listed is refused, so browser code never pulls the server in.
 */
const mayImport: Record<string, { ours: string[]; node?: boolean }> = {
  core: { ours: [] },
  server: { ours: ['core'], node: true },
  'adapter-*': { ours: ['server', 'server/node'], node: true },
  'adapter-conformance': { ours: ['core', 'server'], node: true },
  'http-client': { ours: ['core', 'core/client'] },
  'start-client': { ours: ['core', 'core/client', 'http-client'] },
  'query-core': { ours: ['core', 'core/client'] },
  react: { ours: ['core', 'core/client', 'http-client', 'query-core'] },
  testing: { ours: ['core', 'core/client', 'server'] },
}

const neverByPath = {
  regex: String.raw`(^|/)[a-z][a-z0-9-]*/src(/|$)`,
  message: 'Import another package by its name, never its src by path.',
}
const neverOwnIndex = {
  regex: String.raw`^\.{1,2}/([^.].*/)?index\.tsx?$`,
  message: 'Inside a package import the file, never an index.ts.',
}

const config: OxlintConfig = defineConfig({
  options: { typeAware: true, denyWarnings: true, reportUnusedDisableDirectives: 'error' },
  plugins: ['typescript', 'unicorn', 'oxc', 'import', 'vitest', 'react'],
  categories: { correctness: 'error', suspicious: 'error' },
  ignorePatterns: ['**/dist/**', '**/*.gen.ts', '**/test/types/**'],
  rules: {
    eqeqeq: 'error',
    'no-var': 'error',
    'prefer-const': 'error',
    'import/no-cycle': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
    'unicorn/filename-case': ['error', { case: 'kebabCase' }],
    'unicorn/prefer-node-protocol': 'error',
    'vitest/expect-expect': ['error', { assertFunctionNames: ['expect*'] }],
    'vitest/no-disabled-tests': 'error',
    'vitest/no-focused-tests': 'error',
    'no-restricted-imports': ['error', { patterns: [neverByPath] }],
    // Narrowing by assertion is what a parser does after its checks.
    'typescript/no-unsafe-type-assertion': 'off',
    // The compiler's noImplicitReturns does this.
    'typescript/consistent-return': 'off',
    // `toSorted` and `toReversed` are not in Node 18.
    'unicorn/no-array-sort': 'off',
    'unicorn/no-array-reverse': 'off',
    // JSX runs through the automatic runtime.
    'react/react-in-jsx-scope': 'off',
  },
  overrides: [
    // Express 5 catches what an async handler throws.
    { files: ['examples/**', 'test/**', 'e2e/**'], rules: { 'oxc/no-async-endpoint-handlers': 'off' } },
    // Its cases run inside of tests that one function makes.
    { files: ['packages/adapter-conformance/src/**'], rules: { 'vitest/no-standalone-expect': 'off' } },
    {
      // What must not compile is the claim.
      files: ['**/*.test-d.{ts,tsx}'],
      rules: {
        'vitest/expect-expect': 'off',
        'import/no-unassigned-import': 'off',
        'unicorn/consistent-function-scoping': 'off',
      },
    },
    { files: ['packages/*/src/**'], rules: { 'no-console': ['error', { allow: ['warn', 'error'] }] } },
    ...Object.entries(mayImport).map(([name, { ours, node }]): OxlintOverride => ({
      files: [`packages/${name}/src/**`],
      rules: {
        'no-restricted-imports': [
          'error',
          {
            patterns: [
              neverByPath,
              neverOwnIndex,
              {
                group: ['@query-tags/**', ...ours.map((entry) => `!@query-tags/${entry}`)],
                message: `packages/${name} may not import it: the table is in oxlint.config.ts.`,
              },
              ...(node ? [] : [{ regex: '^node:', message: 'This package runs in browsers.' }]),
            ],
          },
        ],
      },
    })),
  ],
})

export default config
