import { vi } from 'vitest'

/** What the code under test did with its Maps and Sets. */
export interface Work {
  /** Entries that were handed out while iterating. */
  visited: number
  /** Calls of `get` and `has`. */
  lookups: number
  /** Every Map and Set that was made. */
  readonly collections: (ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>)[]
}

/** Runs `run` with Maps and Sets that count. What is made meanwhile goes on counting. */
export function counting<T>(run: (work: Work) => T): T {
  const work: Work = { visited: 0, lookups: 0, collections: [] }
  function* counted<V>(values: Iterable<V>): Generator<V, undefined> {
    for (const value of values) {
      work.visited += 1
      yield value
    }
  }
  class CountingMap<K, V> extends Map<K, V> {
    constructor(entries?: Iterable<readonly [K, V]> | null) {
      super(entries)
      work.collections.push(this)
    }
    override get(key: K): V | undefined {
      work.lookups += 1
      return super.get(key)
    }
    override has(key: K): boolean {
      work.lookups += 1
      return super.has(key)
    }
    override keys(): MapIterator<K> {
      return counted(super.keys())
    }
    override values(): MapIterator<V> {
      return counted(super.values())
    }
    override entries(): MapIterator<[K, V]> {
      return counted(super.entries())
    }
    override [Symbol.iterator](): MapIterator<[K, V]> {
      return this.entries()
    }
    override forEach(call: (value: V, key: K, map: Map<K, V>) => void): void {
      for (const [key, value] of this.entries()) call(value, key, this)
    }
  }
  class CountingSet<V> extends Set<V> {
    constructor(values?: Iterable<V> | null) {
      super(values)
      work.collections.push(this)
    }
    override has(value: V): boolean {
      work.lookups += 1
      return super.has(value)
    }
    override keys(): SetIterator<V> {
      return this.values()
    }
    override values(): SetIterator<V> {
      return counted(super.values())
    }
    override [Symbol.iterator](): SetIterator<V> {
      return this.values()
    }
    override forEach(call: (value: V, again: V, set: Set<V>) => void): void {
      for (const value of this.values()) call(value, value, this)
    }
  }
  vi.stubGlobal('Map', CountingMap)
  vi.stubGlobal('Set', CountingSet)
  try {
    return run(work)
  } finally {
    vi.unstubAllGlobals()
  }
}
