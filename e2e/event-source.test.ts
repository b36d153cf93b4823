import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { AppServer } from '../packages/fault-tests/test/support/app-server.ts'
import { EVENT_NAMES, type ReceivedEvent } from '../packages/fault-tests/test/support/readers.ts'
import { TcpProxy } from '../packages/fault-tests/test/support/tcp-proxy.ts'
import { openWindow } from './support/app-window.ts'
import { launchChromium } from './support/launch-chromium.ts'

declare global {
  var received: ReceivedEvent[]
}

let browser: Browser
beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser?.close())

it('a browser’s own EventSource hears every tag, and resumes by its last event ID after a cut (guarantees 1, 5)', async () => {
  const server = await AppServer.start({ heartbeatMs: 250 })
  const proxy = await TcpProxy.listen(server.port)
  onTestFinished(async () => {
    await proxy.close()
    await server.close()
  })
  const { page } = await openWindow(browser, proxy.url)
  const events = () => page.evaluate(() => globalThis.received)
  const tags = async () => {
    const frames = (await events()).filter(({ event }) => event === 'invalidate')
    return frames.flatMap(({ data }) => (JSON.parse(data) as { tags: unknown[] }).tags)
  }
  const names = async () => (await events()).map(({ event }) => event)
  await page.evaluate((eventNames) => {
    globalThis.received = []
    const source = new EventSource('/api/invalidator')
    for (const name of eventNames) {
      source.addEventListener(name, ({ type, data, lastEventId }: MessageEvent<string>) => {
        globalThis.received.push({ event: type, data, id: lastEventId })
      })
    }
  }, EVENT_NAMES)
  await expect.poll(names, { timeout: 20_000 }).toContain('hello')

  await server.system.invalidateTags({ tags: [['before'], ['grüße']] })
  const isPast = async () => (await tags()).length === 2 && (await names()).at(-1) === 'heartbeat'
  await expect.poll(isPast, { timeout: 20_000 }).toBe(true)
  const { id } = (await events()).at(-1)!
  proxy.cut()
  await server.system.invalidateTags({ tags: [['while away']] })
  await expect.poll(tags, { timeout: 20_000 }).toEqual([['before'], ['grüße'], ['while away']])

  const hellos = (await events()).filter(({ event }) => event === 'hello')
  expect(hellos).toHaveLength(2)
  expect(JSON.parse(hellos[1]!.data)).toMatchObject({ cursor: JSON.parse(id) as object })
  expect(await names()).not.toContain('reset')
})
