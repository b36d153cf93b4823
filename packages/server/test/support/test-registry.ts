import type { PlainTag, Position } from '@query-tags/core'
import { createGate, type Gate } from './gate.ts'
import type { Missed, Recorded, TagRegistry } from '../../src/registry/tag-registry.ts'

type Method = 'record' | 'since' | 'head' | 'subscribe'

/** A registry whose messages can be lost, and whose calls can fail or wait. */
export class TestRegistry implements TagRegistry {
  readonly calls: { readonly method: Method; readonly scope: string; readonly argument?: unknown }[] = []
  readonly #inner: TagRegistry
  readonly #failing = new Set<Method>()
  readonly #gates = new Map<Method, Gate>()
  readonly listeners: ((recorded: Recorded) => void)[] = []
  /** Decides for each message whether it arrives. */
  isLost: (recorded: Recorded) => boolean = () => false

  constructor(inner: TagRegistry) {
    this.#inner = inner
  }

  fail(...methods: Method[]): void {
    for (const method of methods) this.#failing.add(method)
  }

  mend(): void {
    this.#failing.clear()
  }

  /** Calls of this method wait from now on. The returned function lets all of them go on. */
  hold(method: Method): () => void {
    const gate = createGate()
    this.#gates.set(method, gate)
    return () => {
      this.#gates.delete(method)
      gate.open()
    }
  }

  get floorRaisedCount(): number | undefined {
    return this.#inner.floorRaisedCount
  }

  count(method: Method): number {
    return this.calls.filter((call) => call.method === method).length
  }

  async record(scope: string, tags: readonly PlainTag[]): Promise<Position> {
    await this.#pass('record', scope)
    return this.#inner.record(scope, tags)
  }

  async since(scope: string, after: Position | { readonly ageMs: number }): Promise<Missed | 'expired'> {
    await this.#pass('since', scope, after)
    return this.#inner.since(scope, after)
  }

  async head(scope: string): Promise<Position> {
    await this.#pass('head', scope)
    return this.#inner.head(scope)
  }

  async subscribe(scope: string, listener: (recorded: Recorded) => void): Promise<() => void> {
    await this.#pass('subscribe', scope)
    this.listeners.push(listener)
    return this.#inner.subscribe(scope, (recorded) => {
      if (!this.isLost(recorded)) listener(recorded)
    })
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  async #pass(method: Method, scope: string, argument?: unknown): Promise<void> {
    this.calls.push({ method, scope, argument })
    await this.#gates.get(method)?.opened
    if (this.#failing.has(method)) throw new Error(`${method} failed`)
  }
}
