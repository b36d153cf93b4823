import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startProcess } from '../../../../scripts/start-process.ts'
import { createMemoryRegistry } from '../../src/registry/memory.ts'

const warn = vi.spyOn(console, 'warn')
beforeEach(() => {
  vi.resetModules()
  warn.mockReset()
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
})

/** A process in which no system was made before. */
function start() {
  return import('../../src/create-system.ts')
}

describe('a system without a store', () => {
  it.each([
    ['AWS_LAMBDA_FUNCTION_NAME', 'api', 'a function on AWS Lambda'],
    ['VERCEL', '1', 'a function on Vercel'],
    ['NETLIFY', 'true', 'a function on Netlify'],
    ['FUNCTIONS_WORKER_RUNTIME', 'node', 'a function on Azure'],
    ['K_SERVICE', 'api', 'an instance on Cloud Run'],
    ['NODE_APP_INSTANCE', '3', 'instance 3 of pm2'],
  ])('warns once where %s is %s, and names the way out', async (name, value, what) => {
    vi.stubEnv(name, value)
    const { createTagInvalidationSystem } = await start()

    createTagInvalidationSystem()
    createTagInvalidationSystem({ onError: () => undefined })

    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining(`this process is ${what}, `))
    expect(warn.mock.calls[0]![0]).toContain('store: new Keyv({ store: new KeyvRedis(url) })')
  })

  it('warns in a Cloudflare Worker', async () => {
    vi.stubGlobal('navigator', { userAgent: 'Cloudflare-Workers' })

    const { createTagInvalidationSystem } = await start()
    createTagInvalidationSystem()

    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('a Cloudflare Worker'))
  })

  it.each([
    ['anywhere else', {}],
    ['in the first process of pm2', { NODE_APP_INSTANCE: '0' }],
    ['where a function runs on the machine of its developer', { VERCEL: '1', VERCEL_ENV: 'development' }],
    ['in netlify dev', { NETLIFY: 'true', NETLIFY_DEV: 'true' }],
  ])('does not warn %s', async (_, variables) => {
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)

    const { createTagInvalidationSystem } = await start()
    createTagInvalidationSystem()

    expect(warn).not.toHaveBeenCalled()
  })

  it('warns in a worker of node:cluster, and not in the process that started it', { timeout: 30_000 }, async () => {
    const script = fileURLToPath(new URL('../fixtures/cluster-worker.ts', import.meta.url))
    const child = startProcess(process.execPath, ['--conditions=query-tags-source', '--no-warnings', script])

    const [output] = await Promise.all([text(child.stderr!), once(child, 'exit')])

    expect(output.trim().split('\n')).toEqual([expect.stringContaining('this process is a worker of node:cluster, ')])
  })
})

it('a system with a store does not warn, whatever the store', async () => {
  vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'api')
  const { createTagInvalidationSystem } = await start()

  createTagInvalidationSystem({ store: createMemoryRegistry() })

  expect(warn).not.toHaveBeenCalled()
})
