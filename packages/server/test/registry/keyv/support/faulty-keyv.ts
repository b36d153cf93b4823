import type { KeyvStore } from '../../../../src/registry/store.ts'

/** How a call goes wrong. */
export type Fault =
  /** It rejects, and does nothing. */
  | 'rejects'
  /** A write is kept, but answered with false. */
  | 'says-no'
  /** An error is emitted. A write is answered with true all the same, a read with undefined. */
  | 'emits'
  /** A write is answered with true and not kept, a read with undefined. */
  | 'swallows'
  /** Half of the text is kept. */
  | 'tears'
  /** It is never answered. */
  | 'hangs'

/** A Keyv over a Map that does what a test tells it. Keys are without the prefix that all have. */
export class FaultyKeyv implements KeyvStore {
  readonly store: object = {}
  readonly data: Map<string, unknown>
  readonly sets: string[] = []
  /** What goes wrong with a call from now on. */
  fault: (call: 'get' | 'set' | 'delete', key: string) => Fault | undefined = () => undefined
  /** A write arrives, and is answered, only after this. */
  delay: (key: string) => Promise<void> | undefined = () => undefined
  readonly #listeners = new Set<(error: unknown) => void>()

  constructor(data = new Map<string, unknown>()) {
    this.data = data
  }

  get listenerCount(): number {
    return this.#listeners.size
  }

  on(_: string, listener: (error: unknown) => void): void {
    this.#listeners.add(listener)
  }

  off(_: string, listener: (error: unknown) => void): void {
    this.#listeners.delete(listener)
  }

  async get(prefixed: string): Promise<unknown> {
    const key = unprefixed(prefixed)
    const fault = this.fault('get', key)
    await this.#fail(fault)
    return fault === undefined ? this.data.get(key) : undefined
  }

  async set(prefixed: string, value: unknown): Promise<boolean> {
    const key = unprefixed(prefixed)
    this.sets.push(key)
    const fault = this.fault('set', key)
    const text = String(value)
    const arrived = this.delay(key)
    if (arrived) await arrived
    await this.#fail(fault)
    if (fault === 'tears') this.data.set(key, text.slice(0, text.length / 2))
    else if (fault !== 'swallows') this.data.set(key, text)
    return fault !== 'says-no'
  }

  async delete(prefixed: string): Promise<boolean> {
    const key = unprefixed(prefixed)
    const fault = this.fault('delete', key)
    await this.#fail(fault)
    return fault === undefined && this.data.delete(key)
  }

  /** The keys of a family, in order of their numbers. */
  keys(family: string): string[] {
    return [...this.data.keys()].filter((key) => key.startsWith(family)).sort((a, b) => numberOf(a) - numberOf(b))
  }

  async #fail(fault: Fault | undefined): Promise<void> {
    if (fault === 'rejects') throw new Error('The test let it fail')
    if (fault === 'hangs') await new Promise<never>(() => undefined)
    if (fault === 'emits') for (const listener of this.#listeners) listener(new Error('The test let it fail'))
  }
}

function unprefixed(key: string): string {
  if (!key.startsWith('query-tags.')) throw new Error(`The key ${key} has no prefix`)
  return key.slice('query-tags.'.length)
}

function numberOf(key: string): number {
  return Number(key.slice(key.lastIndexOf('.') + 1))
}
