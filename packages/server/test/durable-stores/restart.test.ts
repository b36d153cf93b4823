import { type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Cursor, Receipt } from '@query-tags/core'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { kill, startProcess } from '../../../../scripts/start-process.ts'
import { hasPostgres, PostgresServer } from '../support/postgres-server.ts'

const SCRIPT = fileURLToPath(new URL('support/durable-server.ts', import.meta.url))

interface Server {
  readonly process: ChildProcess
  readonly url: string
}

const running: ChildProcess[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((process) => kill(process, 'SIGKILL')))
})

async function start(kind: string, where: string): Promise<Server> {
  const child = startProcess(process.execPath, ['--conditions=query-tags-source', SCRIPT, kind, where], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  running.push(child)
  const [line] = (await once(child.stdout!, 'data')) as [Buffer]
  return { process: child, url: line.toString().trim() }
}

/** Rejects when it was not recorded, or nobody knows. */
async function invalidate(url: string, tag: string): Promise<Receipt> {
  const response = await fetch(`${url}/invalidate`, { method: 'POST', body: JSON.stringify([[tag]]) })
  const text = await response.text()
  if (!response.ok) throw new Error(text)
  return JSON.parse(text) as Receipt
}

interface Frame {
  readonly event: string
  readonly data: { readonly cursor?: Cursor; readonly scope?: string; readonly at?: string; readonly tags?: string[][] }
}

/** A client that keeps its cursor, as the wire asks it to. */
class Client {
  cursor: Cursor | undefined
  readonly tags: string[] = []
  readonly events: string[] = []
  resets = 0
  #leave = new AbortController()

  async connect(url: string): Promise<void> {
    this.#leave = new AbortController()
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ v: 1, ageMs: 0, watcher: 'w', watch: '*', ...(this.cursor && { cursor: this.cursor }) }),
      signal: this.#leave.signal,
    })
    if (!response.ok) throw new Error(await response.text())
    void this.#read(response.body!).catch(() => undefined)
    await vi.waitUntil(() => this.events.includes('hello'), { timeout: 10_000 })
  }

  leave(): void {
    this.#leave.abort()
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    let buffer = ''
    const decoder = new TextDecoder()
    for await (const bytes of body) {
      buffer += decoder.decode(bytes, { stream: true })
      for (let end = buffer.indexOf('\n\n'); end >= 0; end = buffer.indexOf('\n\n')) {
        this.#take(buffer.slice(0, end))
        buffer = buffer.slice(end + 2)
      }
    }
  }

  #take(text: string): void {
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1] ?? ''
    const frame: Frame = { event: field('event'), data: JSON.parse(field('data') || '{}') as Frame['data'] }
    this.events.push(frame.event)
    if (frame.event === 'reset') this.resets++
    const { cursor, scope, at, tags } = frame.data
    if (cursor) this.cursor = { ...this.cursor, ...cursor }
    if (frame.event === 'invalidate' && scope && at) {
      this.tags.push(...(tags ?? []).flat())
      this.cursor = { ...this.cursor, [scope]: at }
    }
  }
}

let directory = ''
let postgres: PostgresServer | undefined
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'query-tags-restart-'))
  if (hasPostgres) postgres = await PostgresServer.start()
}, 120_000)
afterAll(async () => {
  await postgres?.close()
  await rm(directory, { recursive: true, force: true })
})

const places: Record<string, () => string> = {
  sqlite: () => join(directory, 'sqlite.db'),
  files: () => join(directory, 'files'),
  postgres: () => postgres!.url,
}

describe.each(hasPostgres ? ['sqlite', 'files', 'postgres'] : ['sqlite', 'files'])('a server with %s', (kind) => {
  it('that is killed and started again resumes its clients, and has lost nothing (guarantee 1)', async () => {
    const where = places[kind]!()
    const client = new Client()
    const acknowledged: string[] = []
    let count = 0
    let server = await start(kind, where)
    await client.connect(server.url)

    for (let round = 0; round < 2; round++) {
      const { url, process } = server
      const before = acknowledged.length
      const write = async (): Promise<void> => {
        for (;;) {
          // More than a thousand missed tags are a reset.
          if (acknowledged.length - before > 500) await sleep(20)
          const tag = `t${++count}`
          await invalidate(url, tag)
          acknowledged.push(tag)
          // Some of it the client only hears of from the next server.
          if (acknowledged.length % 40 === 20) client.leave()
        }
      }
      // Until the server is gone.
      const writers = Array.from({ length: 4 }, () => write().catch(() => undefined))
      await expect.poll(() => acknowledged.length - before).toBeGreaterThan(100)
      await kill(process, 'SIGKILL')
      await Promise.all(writers)
      client.events.length = 0
      server = await start(kind, where)
      await client.connect(server.url)
    }

    await invalidate(server.url, 'last')
    await expect.poll(() => client.tags.at(-1)).toBe('last')
    expect(client.resets).toBe(0)
    expect(acknowledged.filter((tag) => !client.tags.includes(tag))).toEqual([])
  }, 120_000)

  it('lets no second one in, until it has ended', async () => {
    const where = `${places[kind]!()}${kind === 'postgres' ? '' : '-second'}`
    const first = await start(kind, where)
    const { at } = await invalidate(first.url, 'a')
    const second = await start(kind, where)

    await expect(invalidate(second.url, 'b')).rejects.toThrow(/Another server \(pid \d+ on .*KeyvRedis/)
    first.process.kill('SIGTERM')
    await once(first.process, 'exit')

    await expect.poll(() => invalidate(second.url, 'b').catch(() => undefined)).toBeDefined()
    const { at: later } = await invalidate(second.url, 'c')
    expect(later.split(':')[0]).toBe(at.split(':')[0])
  })
})
