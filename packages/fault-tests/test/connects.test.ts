import { createTagInvalidationSystem, type TagInvalidationSystem } from '@query-tags/server'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { AppServer } from './support/app-server.ts'

vi.setConfig({ testTimeout: 30_000 })

const CONNECTS = 1000
const AT_ONCE = 100

const init = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ v: 1, ageMs: 0, watcher: 'w', watch: [['a'], ['b'], { path: 'todos' }] }),
}

function expectNothingLeft(system: TagInvalidationSystem): Promise<void> {
  return vi.waitFor(() => {
    expect(system.stats()).toMatchObject({ connections: 0, endingConnections: 0, scopes: 0, watchedTags: 0, timers: 0 })
  }, 2000)
}

/** Opens and gives up streams, many at a time. */
async function connectAndLeave(
  system: TagInvalidationSystem,
  open: (signal: AbortSignal) => Promise<Response>,
  leave: (abort: AbortController, reader: ReadableStreamDefaultReader<Uint8Array>) => unknown,
): Promise<void> {
  for (let i = 0; i < CONNECTS; i += AT_ONCE) {
    const aborts = Array.from({ length: AT_ONCE }, () => new AbortController())
    const responses = await Promise.all(aborts.map(({ signal }) => open(signal)))
    const readers = responses.map((response) => response.body!.getReader())
    await Promise.all(readers.map((reader) => reader.read()))
    expect(system.stats().connections).toBe(AT_ONCE)
    for (const [at, abort] of aborts.entries()) leave(abort, readers[at]!)
    await expectNothingLeft(system)
  }
}

describe('after 1,000 connects and aborts there are 0 connections, 0 timers and 0 index entries within 2 s (guarantee 13)', () => {
  it('over a Node response, in Express', async () => {
    const server = await AppServer.start()
    onTestFinished(() => server.close())

    await connectAndLeave(
      server.system,
      (signal) => fetch(server.url, { ...init, signal }),
      (abort) => abort.abort(),
    )

    await expectNothingLeft(server.system)
  })

  it('over a fetch stream whose request is aborted', async () => {
    const system = createTagInvalidationSystem()
    const handle = system.createAPIHandler()

    await connectAndLeave(
      system,
      (signal) => handle(new Request('http://localhost/api/invalidator', { ...init, signal })),
      (abort) => abort.abort(),
    )

    await expectNothingLeft(system)
  })

  it('over a fetch stream whose body is cancelled', async () => {
    const system = createTagInvalidationSystem()
    const handle = system.createAPIHandler()

    await connectAndLeave(
      system,
      () => handle(new Request('http://localhost/api/invalidator', init)),
      (_, reader) => reader.cancel(),
    )

    await expectNothingLeft(system)
  })
})
