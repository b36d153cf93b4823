import type { Clock } from '../../../../src/clock.ts'
import type { KeyvStore } from '../../../../src/registry/store.ts'
import type { FakeClock } from '../../../support/fake-clock.ts'

/** What may go wrong with a call, each as a probability. */
export interface FaultRates {
  /** It rejects; a write may have arrived, or arrive later. */
  readonly fails: number
  /** A write is answered with false, though it may have arrived. */
  readonly saysNo: number
  /** A write is answered with true and never arrives. */
  readonly swallows: number
  /** It takes seconds. */
  readonly hangs: number
}

export const NO_FAULTS: FaultRates = { fails: 0, saysNo: 0, swallows: 0, hangs: 0 }

/** The data of a store, as several processes see it. */
export class ModelStore {
  readonly data = new Map<string, unknown>()
  readonly clock: FakeClock
  faults: FaultRates = NO_FAULTS

  constructor(clock: FakeClock) {
    this.clock = clock
  }

  open(): ModelProcess {
    return new ModelProcess(this)
  }
}

/** One process: its clock, and its Keyv. It can be stopped for a while, or for good. */
export class ModelProcess implements Clock, KeyvStore {
  readonly store: object
  readonly #model: ModelStore
  readonly #listeners: ((error: unknown) => void)[] = []
  readonly #held: (() => void)[] = []
  #state: 'running' | 'paused' | 'dead' = 'running'

  constructor(model: ModelStore) {
    this.#model = model
    // Half of all stores read many keys in one round trip.
    this.store = model.clock.random() < 0.5 ? {} : { getMany: () => undefined }
  }

  now(): number {
    return this.#model.clock.now()
  }

  wallNow(): number {
    return this.#model.clock.wallNow()
  }

  random(): number {
    return this.#model.clock.random()
  }

  after(ms: number, callback: () => void): () => void {
    let isCancelled = false
    const cancel = this.#model.clock.after(ms, () => {
      this.#deliver(() => {
        if (!isCancelled) callback()
      })
    })
    return () => {
      isCancelled = true
      cancel()
    }
  }

  kill(): void {
    this.#state = 'dead'
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused'
  }

  resume(): void {
    if (this.#state !== 'paused') return
    this.#state = 'running'
    for (const callback of this.#held.splice(0)) callback()
  }

  on(_: string, listener: (error: unknown) => void): void {
    this.#listeners.push(listener)
  }

  get(key: string): Promise<unknown> {
    return this.#read(() => this.#model.data.get(key))
  }

  getMany(keys: string[]): Promise<unknown[]> {
    return this.#read(() => keys.map((key) => this.#model.data.get(key)))
  }

  set(key: string, value: unknown): Promise<boolean> {
    return this.#write(() => this.#model.data.set(key, value))
  }

  delete(key: string): Promise<boolean> {
    return this.#write(() => this.#model.data.delete(key))
  }

  #read<T>(read: () => T): Promise<T> {
    const { fails, hangs } = this.#model.faults
    const isFailing = this.#chance(fails)
    return new Promise((resolve, reject) => {
      this.#model.clock.after(this.#delay(hangs), () => {
        const value = read()
        this.#model.clock.after(this.#delay(hangs), () => {
          this.#deliver(() => {
            if (isFailing) reject(new Error('The model store failed'))
            else resolve(value)
          })
        })
      })
    })
  }

  #write(write: () => unknown): Promise<boolean> {
    const { fails, saysNo, swallows, hangs } = this.#model.faults
    const isFailing = this.#chance(fails)
    const isNo = this.#chance(saysNo)
    const isLost = this.#chance(swallows) || ((isFailing || isNo) && this.#chance(0.5))
    // What is rejected may arrive long after.
    const arrivesAfter = this.#delay(isFailing ? 0.2 : hangs)
    if (!isLost) this.#model.clock.after(arrivesAfter, write)
    return new Promise((resolve, reject) => {
      const answersAfter = (isFailing ? 0 : arrivesAfter) + this.#delay(hangs)
      this.#model.clock.after(answersAfter, () => {
        this.#deliver(() => {
          if (isFailing) reject(new Error('The model store failed'))
          else resolve(!isNo)
        })
      })
    })
  }

  #deliver(callback: () => void): void {
    if (this.#state === 'paused') this.#held.push(callback)
    if (this.#state === 'running') callback()
  }

  #chance(probability: number): boolean {
    return this.#model.clock.random() < probability
  }

  #delay(slow: number): number {
    return this.#chance(slow) ? 10_000 * this.random() : 30 * this.random()
  }
}
