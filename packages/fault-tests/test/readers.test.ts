import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { findCurl } from '../../../scripts/tools.ts'
import { AppServer } from './support/app-server.ts'
import {
  openCurl,
  openNodeEventSource,
  openNpmEventSource,
  type OpenReader,
  type ReceivedEvent,
} from './support/readers.ts'
import { TcpProxy } from './support/tcp-proxy.ts'

vi.setConfig({ testTimeout: 30_000 })

/** A program has to start, and an EventSource waits 3 s before it comes back. */
const WAIT = { timeout: 15_000, interval: 10 }

async function start(): Promise<{ server: AppServer; proxy: TcpProxy; url: string }> {
  const server = await AppServer.start({ heartbeatMs: 250 })
  const proxy = await TcpProxy.listen(server.port)
  onTestFinished(async () => {
    await proxy.close()
    await server.close()
  })
  return { server, proxy, url: `${proxy.url}/api/invalidator` }
}

const invalidate = (server: AppServer, ...tags: string[]) =>
  server.system.invalidateTags({ tags: tags.map((tag): [string] => [tag]) })

const count = (events: readonly ReceivedEvent[], name: string): number =>
  events.filter(({ event }) => event === name).length

/** The tags of all invalidations, in order. */
const tagsIn = (events: readonly ReceivedEvent[]): unknown[] =>
  events
    .filter(({ event }) => event === 'invalidate')
    .flatMap(({ data }) => (JSON.parse(data) as { tags: unknown[] }).tags)

const helloOf = (events: readonly ReceivedEvent[]) =>
  JSON.parse(events.findLast(({ event }) => event === 'hello')!.data) as { cursor: object }

const eventSources: { readonly name: string; readonly open: OpenReader }[] = [
  { name: 'eventsource from npm', open: openNpmEventSource },
  { name: 'Node’s own EventSource', open: openNodeEventSource },
]

describe.each(eventSources)('$name', ({ open }) => {
  it('hears every tag, and resumes by its last event ID after a cut: what it missed, once (guarantees 1, 5)', async () => {
    const { server, proxy, url } = await start()
    const events = open(url)
    await vi.waitUntil(() => count(events, 'hello') === 1, WAIT)

    await invalidate(server, 'before', 'grüße', 'line\nbreak')
    await vi.waitUntil(() => count(events, 'invalidate') === 1 && events.at(-1)?.event === 'heartbeat', WAIT)
    const { id } = events.at(-1)!
    proxy.cut()
    await invalidate(server, 'while away')
    await vi.waitUntil(() => count(events, 'hello') === 2 && count(events, 'invalidate') === 2, WAIT)
    await invalidate(server, 'after')
    await vi.waitUntil(() => count(events, 'invalidate') === 3, WAIT)

    expect(tagsIn(events)).toEqual([['before'], ['grüße'], ['line\nbreak'], ['while away'], ['after']])
    expect(count(events, 'reset')).toBe(0)
    expect(helloOf(events).cursor).toEqual(JSON.parse(id))
  })

  it('gets one reset when it comes back after a restart (guarantee 3)', async () => {
    const { server, url } = await start()
    const events = open(url)
    await vi.waitUntil(() => count(events, 'heartbeat') > 0, WAIT)

    await server.restart()
    await vi.waitUntil(() => count(events, 'hello') === 2 && events.at(-1)?.event === 'heartbeat', WAIT)

    const resets = events.filter(({ event }) => event === 'reset')
    expect(resets.map(({ data }) => (JSON.parse(data) as { reason: string }).reason)).toEqual(['epoch'])
  })
})

const hasCurl = findCurl() !== undefined
if (!hasCurl) console.warn('skipped: the tests of `curl -N` need curl (install curl)')

describe.skipIf(!hasCurl)('curl -N', () => {
  it('hears every tag, and resumes by the Last-Event-ID that it is given (guarantees 1, 5)', async () => {
    const { server, url } = await start()
    const first = openCurl(url)
    await vi.waitUntil(() => count(first, 'hello') === 1, WAIT)

    await invalidate(server, 'before', 'grüße', 'line\nbreak')
    await vi.waitUntil(() => count(first, 'invalidate') === 1 && first.at(-1)?.event === 'heartbeat', WAIT)
    await invalidate(server, 'while away')
    const second = openCurl(url, first.at(-1)!.id)
    await vi.waitUntil(() => count(second, 'heartbeat') > 0, WAIT)

    expect(tagsIn(first).slice(0, 3)).toEqual([['before'], ['grüße'], ['line\nbreak']])
    expect(tagsIn(second)).toEqual([['while away']])
    expect(count(second, 'reset')).toBe(0)
  })

  it('gets a reset for an ID that is none of ours (guarantee 3)', async () => {
    const { url } = await start()

    const events = openCurl(url, 'yesterday')
    await vi.waitUntil(() => count(events, 'heartbeat') > 0, WAIT)

    expect(events.slice(0, 2).map(({ event }) => event)).toEqual(['hello', 'reset'])
  })
})
