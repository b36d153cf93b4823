import type { Clock } from '../../clock.ts'
import type { KeyvStore } from '../store.ts'

/** Every key begins with it. No key has a colon: Keyv leaves out its own prefix where a key begins with `<namespace>:` already. */
const PREFIX = 'query-tags.'
/** How long the store may take for one call. Below the time after which an invalidation rejects. */
const CALL_TIMEOUT_MS = 4000
/** When so many calls were not answered at all, the store is not asked again until one is. */
const MAX_UNANSWERED = 8
/** What is read in one round trip. */
const BATCH = 16

/** What a Keyv may have besides {@link KeyvStore}. */
interface KeyvExtras {
  getMany?(keys: string[]): Promise<unknown[]>
  getRaw?(key: string): Promise<unknown>
  off?(event: string, listener: (error: unknown) => void): unknown
}

/**
 * Calls to a Keyv that reject when they failed. Keyv and its stores answer `false` or emit an error and go on, and a read that failed looks
 * like a key that isn't there.
 */
export class KeyvAccess {
  readonly #keyv: KeyvStore & KeyvExtras
  readonly #clock: Clock
  #errors = 0
  #lastError: unknown
  #unanswered = 0

  constructor(keyv: KeyvStore, clock: Clock) {
    this.#keyv = keyv
    this.#clock = clock
    keyv.on('error', this.#onError)
  }

  close(): void {
    this.#keyv.off?.('error', this.#onError)
  }

  /** What a key holds; a value that can't be one of ours is an empty text. `undefined`: it isn't there. */
  async get(key: string): Promise<string | undefined> {
    const keyv = this.#keyv
    // `get` of Keyv 5 hides that its store threw.
    const read = keyv.getRaw
      ? async () => toText((await keyv.getRaw?.(PREFIX + key)) as Raw | undefined)
      : async () => toText({ value: await keyv.get(PREFIX + key) })
    return this.#read(`read ${key}`, read, (value) => value === undefined)
  }

  /** {@link get} for several keys, in one round trip per {@link BATCH} if the store can. */
  async getMany(keys: readonly string[]): Promise<(string | undefined)[]> {
    // Without a `getMany` of the store itself Keyv 5 makes "isn't there" of every failure.
    const getsMany = typeof (this.#keyv.store as Partial<KeyvExtras>).getMany === 'function'
    if (!getsMany || !this.#keyv.getMany) return Promise.all(keys.map((key) => this.get(key)))
    const values: (string | undefined)[] = []
    for (let i = 0; i < keys.length; i += BATCH) values.push(...(await this.#getBatch(keys.slice(i, i + BATCH))))
    return values
  }

  /** Resolves when the store says that it kept the value; whether it did has to be read. */
  async set(key: string, value: string): Promise<void> {
    const errors = this.#errors
    // 0: without the ttl that this Keyv may have.
    const kept: unknown = await this.#call(`write ${key}`, () => this.#keyv.set(PREFIX + key, value, 0))
    // guard(set-said-no): a cache in front of the store may show what the store did not take, guarantee 2
    if (kept === false || errors !== this.#errors) throw this.#failed(`write ${key}`)
  }

  /** Whether the key is gone. */
  async delete(key: string): Promise<boolean> {
    const deleted = await this.#call(`delete ${key}`, () => this.#keyv.delete(PREFIX + key))
    // It is false, too, for what wasn't there.
    return deleted || (await this.get(key)) === undefined
  }

  async #getBatch(keys: readonly string[]): Promise<(string | undefined)[]> {
    const read = async (): Promise<(string | undefined)[]> => {
      const values = (await this.#keyv.getMany?.(keys.map((key) => PREFIX + key))) ?? []
      return keys.map((_, i) => toText({ value: values[i] }))
    }
    return this.#read(`read ${keys.join(', ')}`, read, (values) => values.includes(undefined))
  }

  async #read<T>(what: string, call: () => Promise<T>, hasAbsent: (read: T) => boolean): Promise<T> {
    const errors = this.#errors
    const read = await this.#call(what, call)
    // guard(absent-for-sure): to take a failed read for an empty store would begin a history that exists, guarantee 3
    if (hasAbsent(read) && errors !== this.#errors) throw this.#failed(what)
    return read
  }

  #call<T>(what: string, call: () => Promise<T>): Promise<T> {
    if (this.#unanswered >= MAX_UNANSWERED) return Promise.reject(new Error(`The store could not ${what}: it hangs`))
    return new Promise((resolve, reject) => {
      let isLate = false
      const cancel = this.#clock.after(CALL_TIMEOUT_MS, () => {
        isLate = true
        this.#unanswered++
        reject(new Error(`The store did not ${what} within ${CALL_TIMEOUT_MS} ms`))
      })
      const settle = (): void => {
        cancel()
        if (isLate) this.#unanswered--
      }
      void Promise.resolve()
        .then(call)
        .finally(settle)
        .then(resolve, (error: unknown) => {
          reject(new Error(`The store could not ${what}`, { cause: error }))
        })
    })
  }

  #failed(what: string): Error {
    return new Error(`The store could not ${what}`, { cause: this.#lastError })
  }

  readonly #onError = (error: unknown): void => {
    this.#errors++
    this.#lastError = error
  }
}

interface Raw {
  readonly value?: unknown
}

function toText(raw: Raw | null | undefined): string | undefined {
  const value = raw?.value
  if (value === undefined || value === null) return undefined
  return typeof value === 'string' ? value : ''
}
