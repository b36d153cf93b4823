import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { openStream, type OpenStream } from './support/open-stream.ts'
import { helloOf, startServer, userScope, type Hostile } from './support/world.ts'

let world: Hostile
afterEach(() => world?.close())

const WATCH = { watcher: 'w', n: 1, add: [], remove: [], from: {} }
const UNKNOWN = 'f'.repeat(32)

async function answerOf(response: Response): Promise<{ status: number; text: string }> {
  return { status: response.status, text: await response.text() }
}

describe('a flood', () => {
  it('of 10,000 watch requests is cut to 20 a second, and nobody else waits for it', { timeout: 60_000 }, async () => {
    world = await startServer()
    const own = await world.stream('ada', { watch: [] })
    const { connection, cursor: from } = helloOf(own)
    const statuses = new Map<number, number>()
    const startedAt = performance.now()
    let n = 0
    const send = async (): Promise<void> => {
      while (n < 10_000) {
        const request = { ...WATCH, connection, from, n: ++n, add: [['t', n]] }
        const response = await world.post('/watch', 'ada', request)
        statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1)
        await response.arrayBuffer()
      }
    }

    const flood = Promise.all(Array.from({ length: 20 }, send))
    for (let i = 0; i < 5; i++) await world.expectService()
    await flood
    const windows = Math.ceil((performance.now() - startedAt) / 1000) + 1

    expect(new Set(statuses.keys())).toEqual(new Set([200, 429]))
    expect(statuses.get(200)).toBeLessThanOrEqual(20 * windows)
    expect(world.system.stats().watchedTags).toBeLessThanOrEqual(20 * windows * 2)
    await world.expectService()
    own.leave()
  })

  it('of connections of one user is refused with 429 over the cap of that user, and throws out nobody', async () => {
    world = await startServer({ limits: { maxConnectionsPerScope: 10 } })

    const streams = await Promise.all(Array.from({ length: 200 }, () => world.stream('ada')))

    const admitted = streams.filter(({ status }) => status === 200)
    const refused = streams.filter(({ status }) => status === 429)
    expect([admitted.length, refused.length]).toEqual([10, 190])
    expect(refused.every(({ headers }) => Number(headers.get('retry-after')) >= 5)).toBe(true)
    await world.expectService()
    await world.system.invalidateTags({ tags: [['still here']], scope: userScope('ada') })
    for (const stream of admitted) await expect.poll(() => stream.text()).toContain('still here')
    for (const stream of streams) stream.leave()
  })

  it('of connections over the cap of the process is refused with 503, and there is room again when they are gone', async () => {
    world = await startServer({ limits: { maxConnections: 51 } })
    const streams: Awaited<ReturnType<typeof world.stream>>[] = []
    for (let batch = 0; batch < 5050; batch += 505) {
      streams.push(...(await Promise.all(Array.from({ length: 505 }, (_, i) => world.stream(`user ${batch + i}`)))))
    }
    expect(streams.filter(({ status }) => status === 200)).toHaveLength(50)
    expect(streams.filter(({ status }) => status === 503)).toHaveLength(5000)
    expect(world.system.stats().connections).toBe(51)

    for (const stream of streams) stream.leave()

    await expect.poll(() => world.system.stats().connections).toBe(1)
    await world.expectService()
  })
})

describe('a message', () => {
  const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`
  it.each([
    ['with a tag of 30,000 levels', `{"v":1,"ageMs":0,"watcher":"w","watch":[${deep}]}`, 400],
    ['with a cursor of 30,000 levels', `{"v":1,"ageMs":0,"watcher":"w","watch":"*","cursor":{"[":${deep}}}`, 400],
    ['that is 30,000 levels', deep, 400],
    ['with a tag over 1 KiB', { v: 1, ageMs: 0, watcher: 'w', watch: [['x'.repeat(1025)]] }, 400],
    ['of 20 MB', `"${'x'.repeat(20e6)}"`, 413],
    ['with 10,000 tags', { v: 1, ageMs: 0, watcher: 'w', watch: Array.from({ length: 10_000 }, () => [1]) }, 413],
    ['with 18 scopes in its cursor', cursorOf(18), 400],
    ['with a wish of a megabyte', { v: 1, ageMs: 0, watcher: 'w', watch: '*', scope: { kind: 'x'.repeat(1e6) } }, 413],
  ])('%s is refused, and nobody else waits for it', async (_, body, status) => {
    world = await startServer()

    const answers = await Promise.all(
      Array.from({ length: 10 }, () => world.post('', 'ada', body).then(answerOf, (error: unknown) => error)),
    )

    // Refused while it is still being sent, a big one may break the pipe of its sender.
    const received = answers.filter((answer) => status !== 413 || !(answer instanceof TypeError))
    expect(received).toEqual(received.map(() => expect.objectContaining({ status })))
    await world.expectService()
    expect(world.system.stats().connections).toBeLessThanOrEqual(2)
  })

  it('with __proto__ anywhere changes no prototype, and means what it says', async () => {
    world = await startServer()
    const tag = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'
    const bodies = [
      '{"__proto__":{"polluted":1},"v":1,"ageMs":0,"watcher":"w","watch":"*"}',
      '{"v":1,"ageMs":0,"watcher":"__proto__","watch":[["__proto__"],["constructor"],[null]]}',
      `{"v":1,"ageMs":0,"watcher":"w","watch":[[${tag}]]}`,
      '{"v":1,"ageMs":0,"watcher":"w","watch":[{"path":"__proto__"}]}',
      '{"v":1,"ageMs":0,"watcher":"w","watch":"*","cursor":{"__proto__":"e:1"}}',
      '{"v":1,"ageMs":0,"watcher":"w","watch":"*","scope":{"__proto__":{"kind":"user","id":"grace"}}}',
      '{"__proto__":{"v":1,"ageMs":0,"watcher":"w","watch":"*"}}',
    ]

    const streams = await Promise.all(
      bodies.map((body) =>
        openStream(world.url, {
          method: 'POST',
          headers: { 'x-user': '__proto__', 'content-type': 'application/json' },
          body,
        }),
      ),
    )
    await Promise.all(streams.map((stream) => stream.begun()))

    expect(streams.map(({ status }) => status)).toEqual([200, 200, 200, 400, 400, 400, 400])
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    await world.system.invalidateTags({
      tags: [['__proto__'], JSON.parse(`[${tag}]`) as [string]],
      scope: userScope('__proto__'),
    })
    await expect.poll(() => streams[1]!.text()).toContain('["__proto__"]')
    await expect.poll(() => streams[2]!.text()).toContain('"__proto__":{"polluted":1}')
    await world.expectService()
    expect(world.grace.text()).not.toContain('__proto__')
    for (const stream of streams) stream.leave()
  })
})

describe('what is forged', () => {
  it('a connection of somebody else is answered like one that does not exist, and nothing happens to it (guarantee 11)', async () => {
    world = await startServer()
    const { connection, cursor: from } = helloOf(world.grace)
    const own = await world.stream('ada')
    await world.system.invalidateTags({ tags: [['hers']], scope: userScope('grace') })

    for (const message of [
      { add: [['hers']], from },
      { remove: [['hers']], watcher: 'w' },
      { watcher: 'w', n: Number.MAX_SAFE_INTEGER },
    ]) {
      const [forged, unknown] = await Promise.all(
        [connection, UNKNOWN].map(async (id) =>
          answerOf(await world.post('/watch', 'ada', { ...WATCH, ...message, connection: id })),
        ),
      )
      expect(forged).toEqual(unknown)
      expect(forged!.status).toBe(409)
    }
    const replacing = await world.stream('ada', { replaces: connection })

    expect(helloOf(replacing).connection).not.toBe(connection)
    expect(`${own.text()}${replacing.text()}`).not.toMatch(/grace|hers/)
    await world.expectService()
    for (const stream of [own, replacing]) stream.leave()
  })

  it('a position in the scope of somebody else says nothing, whether it is right or not (guarantee 11)', async () => {
    world = await startServer()
    const { at } = await world.system.invalidateTags({ tags: [['hers']], scope: userScope('grace') })
    const hers = '["user","grace"]'
    const [epoch, seq] = [at.split(':')[0]!, Number(at.split(':')[1])]
    const cursors = [at, `${epoch}:0`, `${epoch}:${seq + 1}`, 'none:1'].map((position) => ({ [hers]: position }))

    const streams = await Promise.all(cursors.map((cursor) => world.stream('ada', { cursor })))
    const answers = await Promise.all(
      streams.map(async (stream, i) => {
        const request = { ...WATCH, connection: helloOf(stream).connection, add: [['hers']], from: cursors[i] }
        return answerOf(await world.post('/watch', 'ada', request))
      }),
    )

    for (const stream of streams) {
      expect(stream.frames().map(({ event }) => event)).toEqual(streams[0]!.frames().map(({ event }) => event))
      expect(stream.text()).not.toMatch(/grace|hers/)
      expect(stream.text()).not.toContain(epoch)
    }
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(['{"n":1,"expired":true}']))
    for (const stream of streams) stream.leave()
  })

  it.each([
    ['ageMs', [-1, 1e308, Number.MAX_SAFE_INTEGER, '1', null]],
    ['cursor', [{ '["user","ada"]': 'e:9007199254740991' }, { '["user","ada"]': 'e:99999999999999999999' }, [], 'x']],
    ['first', ['yes', 1]],
    ['watcher', ['', 'a b', 'x'.repeat(65), {}]],
    ['replaces', ['', '../..', {}, 'x'.repeat(65)]],
    ['v', [0, 2, 1e308, '1']],
    ['scope', [userScope('grace'), { kind: 'user' }, { kind: 'global' }, 'user', [], { kind: ['user'], id: 'ada' }]],
  ] as [string, unknown[]][])(
    '%s of any kind gets an answer, a refusal or a reset, never an error of ours',
    async (field, values) => {
      world = await startServer()

      for (const value of values) {
        const stream = await world.stream('ada', { [field]: value })
        expect(['hello', 400, 403, 426]).toContain(stream.status === 200 ? stream.frames()[0]?.event : stream.status)
        expect(stream.text()).not.toContain('grace')
        stream.leave()
      }
      await world.expectService()
    },
  )

  it.each([
    ['n', [0, -1, 0.5, 2 ** 53, '1', null]],
    ['connection', ['', '__proto__', UNKNOWN, {}, 5]],
    ['add', ['*', [[]], [{ path: 'a.b'.repeat(100) }], {}]],
    ['from', [{ a: 1 }, { '["user","ada"]': 'e:-1' }, null]],
  ] as [string, unknown[]][])(
    '%s of any kind on a watch request gets an answer or a refusal',
    async (field, values) => {
      world = await startServer()
      const own = await world.stream('ada')
      const { connection } = helloOf(own)

      for (const value of values) {
        const { status } = await world.post('/watch', 'ada', { ...WATCH, connection, [field]: value })
        expect([400, 409]).toContain(status)
      }
      await world.expectService()
      own.leave()
    },
  )
})

describe('text that ends lines', () => {
  const HOSTILE = ['\n', '\r', '\r\n', '\n\n', '\0', '\ud800', '\udfff\ud800', '\u2028', '\ufeff', '\u0085'].map(
    (text) => `a${text}event: bye${text}data: {}${text}${text}z`,
  )

  it('in tags and scopes does not break a frame, and arrives as it was', async () => {
    world = await startServer({ toId: (user) => HOSTILE[Number(user)] ?? user })
    const streams: OpenStream[] = []
    for (const [i, text] of HOSTILE.entries()) {
      const stream = await world.stream(String(i), { watch: [[text], ['b', { [text]: text }]] })
      streams.push(stream)
      const tags = [[text], ['b', { [text]: text }]] as [string][]
      const receipt = await world.system.invalidateTags({ tags, scope: userScope(text) })

      await expect.poll(() => stream.frames().find(({ event }) => event === 'invalidate')?.data).toEqual(receipt)
      expect(stream.frames().map(({ event }) => event)).not.toContain('bye')
      // The cursor is also in the `id:` line, where it resumes from.
      const id = /^id: (.*)$/m.exec(stream.text())![1]!
      const resumed = await openStream(world.url, { headers: { 'x-user': String(i), 'last-event-id': id } })
      await resumed.begun()
      expect(resumed.frames().map(({ event }) => event)).toEqual(['hello', 'invalidate'])
      streams.push(resumed)
    }
    await world.expectService()
    for (const stream of streams) stream.leave()
  })

  it('in what is refused does not break the answer', async () => {
    world = await startServer()

    for (const text of HOSTILE) {
      const bodies = [
        { v: 1, ageMs: 0, watcher: text, watch: '*' },
        { v: text, ageMs: 0, watcher: 'w', watch: '*' },
        { v: 1, ageMs: 0, watcher: 'w', watch: '*', scope: { kind: text } },
        { v: 1, ageMs: 0, watcher: 'w', watch: '*', replaces: text },
        text,
      ]
      for (const body of bodies) {
        const response = await world.post('', 'ada', body)
        const answer = (await response.json()) as { code: string; message: string }
        expect([400, 403]).toContain(response.status)
        expect(answer.message).not.toMatch(/[\0\r\n]/)
      }
    }
    await world.expectService()
  })
})

describe('a slow client', () => {
  const sockets: Socket[] = []
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy()
  })

  async function send(url: URL, text: string): Promise<Socket & { received?: string }> {
    const socket: Socket & { received?: string } = connect(Number(url.port), url.hostname)
    sockets.push(socket)
    socket
      .on('data', (bytes) => (socket.received = `${socket.received ?? ''}${bytes.toString()}`))
      .on('error', () => undefined)
    await once(socket, 'connect')
    socket.write(text)
    return socket
  }

  it('that never ends its header keeps nobody waiting', async () => {
    world = await startServer()
    const url = new URL(world.url)

    await Promise.all(
      Array.from({ length: 200 }, () => send(url, `POST ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nX-Slow: `)),
    )

    await world.expectService()
    expect(world.system.stats().connections).toBeLessThanOrEqual(2)
  })

  it('that never ends its body is refused with 408 in time, and keeps nobody waiting', async () => {
    world = await startServer({ limits: { bodyTimeoutMs: 500 } })
    const url = new URL(world.url)
    const head = `POST ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Type: application/json\r\nX-User: ada\r\n`

    const slow = await Promise.all(
      Array.from({ length: 200 }, () => send(url, `${head}Content-Length: 1000\r\n\r\n{"v":1,`)),
    )

    await world.expectService()
    for (const socket of slow) await expect.poll(() => socket.received, { timeout: 5000 }).toContain('HTTP/1.1 408')
    await expect.poll(() => slow.every((socket) => socket.closed || socket.readableEnded), { timeout: 5000 }).toBe(true)
    await world.expectService()
  })
})

function cursorOf(scopes: number): object {
  const cursor = Object.fromEntries(Array.from({ length: scopes }, (_, i) => [`["s","${i}"]`, 'e:1']))
  return { v: 1, ageMs: 0, watcher: 'w', watch: '*', cursor }
}
