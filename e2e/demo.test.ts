import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { findFreePort, isPortFree } from '../scripts/free-port.ts'
import { AppWindow, openWindow } from './support/app-window.ts'
import { launchChromium } from './support/launch-chromium.ts'
import { RunningProcess } from './support/run-process.ts'

const ADDRESS = /Open (http:\/\/localhost:(\d+))\b.*http:\/\/localhost:(\d+)/

let browser: Browser
beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser?.close())

let running: RunningProcess | undefined
afterEach(() => running?.end('SIGKILL'))

function runDemo(args: string[] = [], env: Record<string, string> = {}): RunningProcess {
  running = new RunningProcess(['scripts/demo.ts', ...args], { cwd: new URL('../', import.meta.url), env })
  return running
}

it.each(['SIGINT', 'SIGTERM'] as const)(
  'prints one address that works, and %s leaves nothing running',
  async (signal) => {
    const demo = runDemo()
    const [, address, port, apiPort] = await demo.printed(ADDRESS)
    const { page } = await openWindow(browser, address!)
    await expect.poll(() => page.frames().length).toBe(3)
    const windows = page
      .frames()
      .slice(1)
      .map((frame) => new AppWindow(frame))
    for (const window of windows) {
      await expect.poll(() => window.list('Todos'), { timeout: 20_000 }).toContain('Water the plants')
    }

    const code = await demo.end(signal)

    expect({ code, output: demo.output }).toMatchObject({ code: 0 })
    expect(demo.output.match(/localhost/g)).toHaveLength(2)
    expect(await Promise.all([port, apiPort].map((taken) => isPortFree(Number(taken))))).toEqual([true, true])
  },
)

it('takes another port when the usual one is taken', async () => {
  const taken = createServer().listen(5173)
  await Promise.race([once(taken, 'listening'), once(taken, 'error')])

  const [, , port] = await runDemo().printed(ADDRESS)

  expect(port).not.toBe('5173')
  taken.close()
})

it('serves the page on the port that it is told', async () => {
  const port = await findFreePort()

  const [, address] = await runDemo(['--port', String(port)]).printed(ADDRESS)

  expect(address).toBe(`http://localhost:${port}`)
})

it('takes the backend that it is told', async () => {
  const demo = runDemo(['--backend', 'koa'])

  const [, address] = await demo.printed(ADDRESS)

  expect(demo.output).toContain('the koa server is on')
  expect((await fetch(`${address}/api/todos`)).status).toBe(200)
})

it('runs the TanStack Start app, and stops it with streams open', async () => {
  const demo = runDemo(['--app', 'start'])
  const [, address, port] = await demo.printed(/Open (http:\/\/localhost:(\d+))/)
  const { page } = await openWindow(browser, address!)
  await expect.poll(() => page.frames().length).toBe(3)
  const window = new AppWindow(page.frames()[1]!)
  await expect.poll(() => window.isQuiet(), { timeout: 20_000 }).toBe(true)

  const code = await demo.end('SIGINT')

  expect({ code, output: demo.output }).toMatchObject({ code: 0 })
  expect(await isPortFree(Number(port))).toBe(true)
})

it.each([
  [['--', '--app', 'mobile'], 'There is no app "mobile". --app takes: spa, start.'],
  [['--backend', 'cobol'], 'There is no backend "cobol". --backend takes: elysia, express, fastify, hono, koa.'],
  [['--port', 'many'], '--port takes a number, not "many".'],
  [['--prot', '1'], "Unknown option '--prot'"],
])('refuses %j with what it takes', async (args, message) => {
  const demo = runDemo(args)

  expect(await demo.ended()).toBe(1)
  expect(demo.output).toContain(message)
})

it('ends with what the server said when the server fails', async () => {
  const demo = runDemo([], { HEARTBEAT_MS: '60000' })

  expect(await demo.ended()).toBe(1)
  expect(demo.output).toMatch(/heartbeatMs/)
  expect(demo.output).toContain('The express server ended with code 1')
})
