/**
 * Runs one app on whatever runtime this is, as `smoke <app> [full]`, and prints one line of JSON for each case. The client is in the same
 * process, so that the system's own counts can be looked at. It uses nothing that Node 18 lacks.
 */
import assert from 'node:assert/strict'
import { request, type IncomingMessage } from 'node:http'
import process from 'node:process'
import { createTagInvalidationSystem, type TagInvalidationSystem } from '@query-tags/server'
import { BASE, type RunningApp, type StartApp } from './app.ts'

interface World {
  readonly system: TagInvalidationSystem
  readonly app: RunningApp
  readonly url: string
}

type Case = (world: World) => Promise<void>

const STREAM = { v: 1, ageMs: 0, watcher: 'w', watch: [['a']] }
const LIMIT_MS = 5000
/** Longer than Bun and others leave a quiet stream alone. */
const QUIET_MS = 26_000

const cases: Record<string, Case> = {
  async 'opens, and delivers'({ system, url }) {
    const stream = await Stream.open(url)
    await stream.until(/event: hello\n/)
    const { at } = await system.invalidateTags({ tags: [['a']] })
    await stream.until(new RegExp(`event: invalidate\n.*${at}`))
    stream.leave()
  },

  async 'answers watch'({ url }) {
    const stream = await Stream.open(url)
    const hello = JSON.parse((await stream.until(/event: hello\n.*\ndata: (.*)\n/))[1]!) as HelloData
    const body = { connection: hello.connection, watcher: 'w', n: 1, add: [['b']], remove: [], from: hello.cursor }
    const answer = await ask(`${url}/watch`, 'POST', body)
    assert.deepEqual(await new Stream(answer).json(), { n: 1, tags: [] })
    stream.leave()
  },

  async refuses({ url }) {
    const refusals = await Promise.all([
      ask(url, 'POST', { ...STREAM, v: 2 }),
      ask(url, 'POST', 'x'.repeat(70_000)),
      ask(`${url}/nothing`, 'GET'),
      ask(url, 'PUT'),
      ask(url, 'GET', undefined, { 'sec-fetch-site': 'cross-site' }),
    ])
    assert.deepEqual(
      refusals.map(({ statusCode }) => statusCode),
      [426, 413, 404, 405, 403],
    )
    for (const refusal of refusals) {
      const { code } = (await new Stream(refusal).json()) as { code: unknown }
      assert.equal(typeof code, 'string')
    }
    const head = await ask(url, 'HEAD')
    assert.equal(head.statusCode, 200)
    head.destroy()
  },

  async 'frees a client that left'({ system, url }) {
    const stream = await Stream.open(url)
    await stream.until(/event: hello\n/)
    stream.leave()
    await isEmpty(system)
  },

  async 'holds little for a slow reader'({ system, url }) {
    const stream = await Stream.open(url, { ...STREAM, watch: '*' }, true)
    await until('a backlog', async () => {
      const tags = Array.from({ length: 45 }, (_, i): [string, string] => [`${Math.random()}/${i}`, 'x'.repeat(900)])
      for (let i = 0; i < 20; i++) await system.invalidateTags({ tags })
      return system.stats().backlogBytes > 0 || (system.stats().resets.overflow ?? 0) > 0
    })
    assert.ok(system.stats().backlogBytes <= 65_536)
    stream.leave()
    await isEmpty(system)
  },
}

const fullCases: Record<string, Case> = {
  async 'keeps a quiet stream'({ system, url }) {
    const stream = await Stream.open(url)
    await until('the end of the quiet', () => performance.now() > QUIET_MS + started, QUIET_MS + LIMIT_MS)
    const { at } = await system.invalidateTags({ tags: [['a']] })
    await stream.until(new RegExp(`event: invalidate\n.*${at}`))
    stream.leave()
  },
}

/** Run last, since nothing runs after it. */
const closing: Case = async ({ system, app, url }) => {
  const streams = await Promise.all(Array.from({ length: 10 }, () => Stream.open(url)))
  await Promise.all(streams.map((stream) => stream.until(/event: hello\n/)))
  const began = performance.now()
  await system.close({ drainMs: 0 })
  const tookMs = performance.now() - began
  assert.ok(tookMs < 500, `it took ${tookMs} ms`)
  await Promise.all(streams.map((stream) => stream.until(/event: bye\ndata: {"reason":"shutdown"/)))
  await inTime('the listener', app.close())
  await isEmpty(system)
}

interface HelloData {
  readonly connection: string
  readonly cursor: object
}

const started = performance.now()

async function main(name: string, isFull: boolean): Promise<void> {
  const { start } = (await import(`./${name}.ts`)) as { start: StartApp }
  const system = createTagInvalidationSystem()
  const app = await start(system)
  const world = { system, app, url: `http://127.0.0.1:${app.port}${BASE}` }
  const all = { ...cases, ...(isFull && fullCases), 'closes with ten streams open': closing }
  for (const [claim, run] of Object.entries(all)) {
    let error: string | undefined
    try {
      await run(world)
    } catch (thrown) {
      error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
    }
    process.stdout.write(`${JSON.stringify({ claim, error })}\n`)
  }
}

/** A response, on a connection of its own. */
class Stream {
  readonly #response: IncomingMessage
  #text = ''
  #isOver = false

  /** Does not read on if `isUnread`. */
  static async open(url: string, message: object = STREAM, isUnread = false): Promise<Stream> {
    const response = await ask(url, 'POST', message)
    assert.equal(response.statusCode, 200)
    return new Stream(response, isUnread)
  }

  constructor(response: IncomingMessage, isUnread = false) {
    this.#response = response
    response.on('error', () => undefined)
    response.once('close', () => (this.#isOver = true))
    if (isUnread) response.pause()
    else response.setEncoding('utf8').on('data', (text: string) => (this.#text += text))
  }

  /** Waits until what came matches. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    let match: RegExpExecArray | null = null
    await until(
      `${String(pattern)} in ${this.#text}`,
      () => (match = pattern.exec(this.#text)) !== null || this.#isOver,
    )
    if (!match) throw new Error(`The stream ended before ${String(pattern)}: ${this.#text}`)
    return match
  }

  /** All that came, as JSON. */
  async json(): Promise<unknown> {
    await until('the end of an answer', () => this.#isOver)
    return JSON.parse(this.#text)
  }

  leave(): void {
    this.#response.destroy()
  }
}

function ask(
  url: string,
  method: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<IncomingMessage> {
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    const json = body === undefined ? {} : { 'content-type': 'application/json' }
    const sent = request(url, { method, agent: false, headers: { ...json, ...headers } }, resolve)
    sent.on('error', reject)
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
  return inTime(`${method} ${url}`, answered)
}

async function isEmpty(system: TagInvalidationSystem): Promise<void> {
  await until('an empty system', () => {
    const { connections, endingConnections, scopes, watchedTags, timers } = system.stats()
    return [connections, endingConnections, scopes, watchedTags, timers].every((count) => count === 0)
  })
}

async function until(what: string, test: () => boolean | Promise<boolean>, limitMs: number = LIMIT_MS): Promise<void> {
  const began = performance.now()
  while (!(await test())) {
    if (performance.now() - began > limitMs) throw new Error(`Waited ${limitMs} ms for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function inTime<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited ${LIMIT_MS} ms for ${what}`)), LIMIT_MS)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

const [name = '', mode] = process.argv.slice(2)
await main(name, mode === 'full')
