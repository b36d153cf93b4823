import type { PlainTag, Receipt } from '@query-tags/core'
import type { Attachment, Binding, InvalidatorClient, ReadPosition } from '@query-tags/core/client'
import { createTagInvalidationSystem, type SystemOptions, type TagInvalidationSystem } from '@query-tags/server'
import { fromNode, send } from '@query-tags/server/node'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createHTTPInvalidatorClient } from '../src/index.ts'

const FIRST: ReadPosition = { first: true, cursor: undefined }
const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

class Listening implements Binding {
  readonly log: string[] = []
  onHello(): void {
    this.log.push('hello')
  }
  onInvalidate({ tags, source }: { readonly tags: readonly PlainTag[]; readonly source: string }): void {
    this.log.push(`${source} ${tags.map(String).join(' ')}`)
  }
  onReset({ reason }: { readonly reason: string }): void {
    this.log.push(`reset ${reason}`)
  }
  onMissed(added: readonly PlainTag[], missed: readonly PlainTag[] | 'expired'): void {
    this.log.push(
      `missed ${added.map(String).join(' ')}: ${missed === 'expired' ? missed : missed.map(String).join(' ')}`,
    )
  }
}

interface Running {
  readonly system: TagInvalidationSystem<IncomingMessage>
  readonly port: number
  readonly stop: () => Promise<void>
}

/** A system on a plain Node server. Who the user is, a header says. */
async function start(options: SystemOptions<IncomingMessage> = {}, port = 0): Promise<Running> {
  const system = createTagInvalidationSystem<IncomingMessage>({ heartbeatMs: 100, ...options })
  const server: Server = createServer((request, response) => {
    const path = request.url!.slice('/api/invalidator'.length)
    void system.respond(fromNode(request, { path }), () => request).then((outcome) => send(outcome, response))
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const stop = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await system.close()
  }
  ends.push(() => void stop())
  return { system, port: (server.address() as AddressInfo).port, stop }
}

function connect(port: number, user?: string): { client: InvalidatorClient; attachment: Attachment; log: string[] } {
  const client = createHTTPInvalidatorClient({
    basePath: `http://127.0.0.1:${port}/api/invalidator`,
    ...(user && { headers: { 'x-user': user } }),
  })
  ends.push(() => client.close())
  const binding = new Listening()
  return { client, attachment: client.attach(binding), log: binding.log }
}

/** Connected, and past the reset that a registry asks for which is younger than the page. */
async function settled({ client, log }: ReturnType<typeof connect>): Promise<void> {
  await vi.waitFor(() => expect(client.status.state).toBe('live'), 5000)
  log.splice(0)
}

describe('the client and the server, over HTTP', () => {
  it('bring an invalidation to the tags that are watched, and to no others', async () => {
    const { system, port } = await start()
    const page = connect(port)
    page.attachment.watch(['todos'], FIRST)
    await settled(page)

    await system.invalidateTags({ tags: [['notes']] })
    await system.invalidateTags({ tags: [['todos']] })
    await vi.waitFor(() => expect(page.log).toEqual(['stream todos']))
  })

  it('tell a tag that is watched late what it missed (guarantee 1)', async () => {
    const { system, port } = await start()
    const page = connect(port)
    const { attachment, log } = page
    await settled(page)
    const from = attachment.position()
    await system.invalidateTags({ tags: [['todos'], ['notes']] })

    attachment.watch(['todos'], from)
    await vi.waitFor(() => expect(attachment.isWatched(['todos'])).toBe(true), 3000)
    expect(log).toEqual(['missed todos: todos'])

    await system.invalidateTags({ tags: [['todos']] })
    await vi.waitFor(() => expect(log).toHaveLength(2))
  })

  it('pass what did not match with heartbeats, and say what is verified (guarantee 5)', async () => {
    const { system, port } = await start()
    const page = connect(port)
    const { client, attachment } = page
    await settled(page)
    const before = attachment.position().cursor

    const { scope, at } = await system.invalidateTags({ tags: [['notes']] })

    await vi.waitFor(() => expect(attachment.position().cursor).toEqual({ ...before, [scope]: at }))
    expect(client.status.state).toBe('live')
  })

  it('resume after a cut with exactly what was missed (guarantee 1)', async () => {
    const { system, port } = await start()
    const page = connect(port)
    const { client, attachment, log } = page
    for (let n = 0; n < 200; n++) attachment.watch([`tag ${n}`], FIRST)
    await settled(page)
    attachment.detach()
    await system.invalidateTags({ tags: [['tag 3'], ['tag 100'], ['other']] })
    await system.invalidateTags({ tags: [['tag 150']] })

    const binding = new Listening()
    const again = client.attach(binding)
    for (let n = 0; n < 200; n++) again.watch([`tag ${n}`], again.position())
    await vi.waitFor(() => expect(binding.log.filter((line) => line.startsWith('stream'))).toHaveLength(2), 3000)

    expect(log).toEqual([])
    expect(binding.log).toEqual(['hello', 'stream tag 3 tag 100', 'stream tag 150'])
  })

  it('reset once after a restart that lost the history, and go on (guarantee 3)', { timeout: 20_000 }, async () => {
    const one = await start()
    const page = connect(one.port)
    const { client, attachment, log } = page
    attachment.watch(['todos'], FIRST)
    await settled(page)
    await one.stop()
    await vi.waitFor(() => expect(client.status.state).not.toBe('live'), 3000)

    const two = await start({}, one.port)
    await vi.waitFor(() => expect(log).toContain('reset epoch'), 15_000)
    await vi.waitFor(() => expect(client.status.state).toBe('live'))
    await two.system.invalidateTags({ tags: [['todos']] })
    await vi.waitFor(() => expect(log.at(-1)).toBe('stream todos'))

    expect(log.filter((line) => line.startsWith('reset'))).toHaveLength(1)
  })

  it('keep the scopes of two users apart (guarantee 11)', async () => {
    const { system, port } = await start({
      resolveScope: (request) => {
        const user = request.headers['x-user']
        return typeof user === 'string' ? { kind: 'user', id: user } : null
      },
    })
    const ada = connect(port, 'ada')
    const bob = connect(port, 'bob')
    const nobody = connect(port)
    for (const { attachment } of [ada, bob]) attachment.watch(['todos'], FIRST)
    await Promise.all([ada, bob].map(settled))

    await system.invalidateTags({ tags: [['todos']], scope: { kind: 'user', id: 'ada' } })
    await vi.waitFor(() => expect(ada.log).toEqual(['stream todos']))
    await system.invalidateTags({ tags: [['todos']] })
    await vi.waitFor(() => expect(ada.log).toHaveLength(2))

    await vi.waitFor(() => expect(bob.log).toEqual(['stream todos']))
    await vi.waitFor(() => expect(nobody.client.status).toMatchObject({ state: 'waiting', reason: 'unauthorized' }))
  })

  it('reauthorize when the server says bye, and miss nothing meanwhile', { timeout: 20_000 }, async () => {
    const { system, port } = await start({ maxStreamMs: 300 })
    const page = connect(port)
    const { attachment, log } = page
    attachment.watch(['todos'], FIRST)
    await settled(page)
    const receipts: Receipt[] = []
    for (let n = 0; n < 30; n++) {
      receipts.push(await system.invalidateTags({ tags: [['todos']] }))
      await new Promise((resolve) => setTimeout(resolve, 50))
    }

    await vi.waitFor(
      () => expect(attachment.position().cursor).toEqual({ [receipts[0]!.scope]: receipts.at(-1)!.at }),
      5000,
    )

    expect(log.filter((line) => line === 'hello').length).toBeGreaterThan(2)
    expect(log.filter((line) => line.startsWith('reset'))).toEqual([])
  })

  it('leave nothing on the server when the client is closed (guarantee 13)', async () => {
    const { system, port } = await start()
    const page = connect(port)
    page.attachment.watch(['todos'], FIRST)
    await settled(page)
    expect(system.stats().connections).toBe(1)

    page.client.close()

    await vi.waitFor(() => expect(system.stats()).toMatchObject({ connections: 0, watchedTags: 0 }), 2000)
  })
})
