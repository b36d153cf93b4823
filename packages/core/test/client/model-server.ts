import { Refusal } from '../../src/client/transport.ts'
import type { StreamRequest } from '../../src/protocol/messages.ts'
import { nameOf } from './world.ts'
import { GLOBAL, type ScriptedStream, type ScriptedWatch } from './scripted-transport.ts'

interface Entry {
  readonly seq: number
  readonly time: number
  readonly tag: string
}

interface Connection {
  readonly id: string
  readonly stream: ScriptedStream
  readonly tags: Set<string> | '*'
  lastN: number
  /** Frames that were written and have not arrived. */
  readonly wire: (() => void)[]
}

/**
 * The server as DESIGN §5 has it, as plainly as can be: one scope, a log that is never trimmed, and a restart that loses it. Frames wait on
 * the wire until the test lets them arrive.
 */
export class ModelServer {
  readonly #now: () => number
  #epoch = 1
  /** The first epoch has always been. */
  #bornAt = -Infinity
  #seq = 0
  #log: Entry[] = []
  #ids = 0
  readonly #connections = new Map<ScriptedStream, Connection>()

  constructor(now: () => number) {
    this.#now = now
  }

  get head(): string {
    return this.#at(this.#seq)
  }

  record(tag: string): void {
    const seq = ++this.#seq
    const at = this.#at(seq)
    this.#log.push({ seq, time: this.#now(), tag })
    for (const { stream, tags, wire } of this.#connections.values()) {
      if (tags === '*' || tags.has(tag)) wire.push(() => stream.invalidate(at, tag))
    }
  }

  /** The history is lost, and every connection is cut. */
  restart(): void {
    for (const stream of this.#connections.keys()) stream.fail(new TypeError('network'))
    this.#connections.clear()
    this.#epoch++
    this.#bornAt = this.#now()
    this.#log = []
  }

  accept(stream: ScriptedStream): void {
    const { watch } = stream.request
    const id = `c${++this.#ids}`
    const tags = watch === '*' ? watch : new Set(watch.map(nameOf))
    const wire: (() => void)[] = []
    this.#connections.set(stream, { id, stream, tags, lastN: 0, wire })
    const start = this.#start(stream.request)
    const head = this.head
    const cursor = start === 'expired' ? {} : { [GLOBAL]: this.#at(start) }
    wire.push(() => stream.hello({ connection: id, cursor, retryMs: 0 }))
    if (start === 'expired') {
      wire.push(() => stream.reset({ [GLOBAL]: head }))
      return
    }
    for (const { seq, tag } of this.#since(start)) {
      const at = this.#at(seq)
      if (tags === '*' || tags.has(tag)) wire.push(() => stream.invalidate(at, tag))
    }
  }

  heartbeat(): void {
    const head = this.head
    for (const { stream, wire } of this.#connections.values()) wire.push(() => stream.heartbeat({ [GLOBAL]: head }))
  }

  /** The next frame of a stream arrives. Says whether there was one. */
  deliver(stream: ScriptedStream): boolean {
    const frame = this.#connections.get(stream)?.wire.shift()
    frame?.()
    return frame !== undefined
  }

  cut(stream: ScriptedStream): void {
    this.#connections.delete(stream)
    stream.fail(new TypeError('network'))
  }

  /** The server forgets the connection, and the client hears nothing of it. */
  blackhole(stream: ScriptedStream): void {
    this.#connections.delete(stream)
  }

  /** Serves a watch request. Its answer may get lost. */
  serve({ request, answer, fail }: ScriptedWatch, isAnswerLost: boolean): void {
    const connection = [...this.#connections.values()].find(({ id }) => id === request.connection)
    if (!connection) return fail(new Refusal(409, 'not-here'))
    const { tags } = connection
    if (tags !== '*' && request.n > connection.lastN) {
      for (const tag of request.remove) tags.delete(nameOf(tag))
      for (const tag of request.add) tags.add(nameOf(tag))
    }
    connection.lastN = Math.max(connection.lastN, request.n)
    const since = this.#seqOf(request.from[GLOBAL])
    if (isAnswerLost) return fail(new TypeError('network'))
    if (since === 'expired') return answer({ n: request.n, expired: true })
    const added = new Set(request.add.map(nameOf))
    answer({ n: request.n, tags: this.#since(since).flatMap(({ tag }) => (added.has(tag) ? [[tag] as const] : [])) })
  }

  #start({ cursor, ageMs, first }: StreamRequest): number | 'expired' {
    const held = cursor?.[GLOBAL]
    const position = held === undefined ? undefined : this.#seqOf(held)
    if (position === 'expired') return position
    if (position !== undefined && !first) return position
    const since = this.#now() - ageMs
    if (since < this.#bornAt || (position === undefined && ageMs > 600_000)) return 'expired'
    const aged = this.#log.findLast(({ time }) => time < since)?.seq ?? 0
    return Math.min(aged, position ?? aged)
  }

  #since(seq: number): Entry[] {
    return this.#log.filter((entry) => entry.seq > seq)
  }

  #seqOf(position: string | undefined): number | 'expired' {
    const [epoch, seq] = position?.split(':') ?? []
    return epoch === `e${this.#epoch}` ? Number(seq) : 'expired'
  }

  #at(seq: number): string {
    return `e${this.#epoch}:${seq}`
  }
}
