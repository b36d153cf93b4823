import { defineConfig } from 'vitest/config'

/** Tests and types read the packages' sources, so nothing waits for a build. */
const conditions = ['query-tags-source']
const resolve = { conditions: [...conditions, 'module', 'node', 'import', 'default'] }
const ssr = { resolve: { conditions: [...conditions, 'module', 'node', 'import', 'default'], externalConditions: conditions } }

export default defineConfig({
  test: {
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: 'node',
          environment: 'node',
          include: ['packages/*/test/**/*.test.ts', 'examples/*/test/**/*.test.ts'],
          exclude: ['packages/react/**', '**/test/types/**', '**/node_modules/**'],
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'react',
          environment: 'happy-dom',
          include: ['packages/react/test/**/*.test.{ts,tsx}'],
        },
      },
      {
        // Real Chromium, driven with playwright-core from Node.
        resolve,
        ssr,
        test: {
          name: 'browser',
          environment: 'node',
          include: ['e2e/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
