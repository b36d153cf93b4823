import { fileURLToPath } from 'node:url'
import { defineConfig, type ViteUserConfig } from 'vitest/config'

/** Tests read the packages' sources, so nothing waits for a build. */
const sources = 'query-tags-source'
const resolve = { conditions: [sources, 'node', 'development'] }
const ssr = { resolve: { conditions: resolve.conditions, externalConditions: [sources] } }

/** Behind a real nginx. */
const nginxTests = ['packages/abuse-tests/test/nginx/*.test.ts']
/** Many real server processes, a real Redis and a real nginx. */
const fleetTests = ['packages/fleet-tests/test/**/*.test.ts']
const reactTests = ['packages/react/test/**/*.test.{ts,tsx}']

const config: ViteUserConfig = defineConfig({
  test: {
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: 'node',
          // Tests over real sockets share the machine with each other.
          testTimeout: 20_000,
          expect: { poll: { timeout: 10_000 } },
          include: ['packages/*/test/**/*.test.ts', 'examples/*/test/**/*.test.ts', 'test/*.test.ts'],
          exclude: [...reactTests, ...nginxTests, ...fleetTests, '**/test/types/**', '**/node_modules/**'],
        },
      },
      {
        // The binding on the oldest TanStack Query of its peer range.
        resolve: {
          ...resolve,
          alias: [{ find: /^@tanstack\/query-core$/, replacement: '@tanstack/query-core-oldest' }],
        },
        ssr,
        test: {
          name: 'oldest-query',
          include: ['packages/query-core/test/{settle-guard,refetch-scheduler,bind-tags,random-schedules}.test.ts'],
          env: { OLDEST_QUERY: '1' },
        },
      },
      {
        resolve,
        ssr,
        test: { name: 'react', environment: 'happy-dom', include: reactTests, testTimeout: 20_000 },
      },
      {
        // The same tests, with React and what peers on it taken from test/react-18.
        resolve: {
          ...resolve,
          alias: [
            {
              find: /^(react|react-dom|@tanstack\/react-query|@tanstack\/react-router|@testing-library\/react)(\/.*)?$/,
              replacement: fileURLToPath(new URL('test/react-18/node_modules/$1$2', import.meta.url)),
            },
          ],
        },
        ssr,
        test: { name: 'react-18', environment: 'happy-dom', include: reactTests, testTimeout: 20_000 },
      },
      {
        // Whole systems in real Chromium, driven with playwright-core from Node.
        resolve,
        ssr,
        test: {
          name: 'browser',
          include: ['e2e/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      { resolve, ssr, test: { name: 'nginx', include: nginxTests, testTimeout: 20_000 } },
      {
        resolve,
        ssr,
        test: {
          name: 'fleet',
          include: fleetTests,
          fileParallelism: false,
          // By themselves, once all others are through: they keep every core busy.
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        // Type tests: compiled, never run. What a call infers and what it refuses.
        resolve,
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            checker: 'tsc',
            include: ['packages/*/test/**/*.test-d.{ts,tsx}'],
            tsconfig: 'test/tsconfig.types.json',
          },
        },
      },
    ],
  },
})

export default config
