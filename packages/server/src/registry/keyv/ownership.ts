import { QueryTagsError } from '@query-tags/core'
import type { Clock } from '../../clock.ts'
import type { KeyvAccess } from './keyv-access.ts'
import { beatKey, claimKey, encodeBeat, encodeClosed } from './layout.ts'
import { ONE_PROCESS } from './one-process.ts'
import { backoffMs, sleep } from './waiting.ts'

/** How often an owner shows that it is alive. */
const BEAT_MS = 3000
/** For so long an owner trusts that it still is one, without having looked. */
const CONFIRMED_MS = 5000

/** @param claim what is under the owner's key. */
function takenOver(claim: string | undefined): OwnershipLost {
  if (claim === undefined) return new OwnershipLost('The store was emptied')
  return new OwnershipLost(`Another process took over the store. ${ONE_PROCESS}`)
}

export interface OwnershipOptions {
  readonly access: KeyvAccess
  readonly clock: Clock
  readonly generation: number
  readonly owner: string
  /** What is written under the key of the claim. */
  readonly claim: string
  readonly report: (error: unknown) => void
}

/** The ownership was lost, or given up: nothing more can be recorded with it. */
export class OwnershipLost extends QueryTagsError {
  constructor(message: string) {
    super('registry-unavailable', message)
  }
}

/**
 * The right to write one history, for as long as the claim in the store is this owner's. Somebody else ends it by closing the claim, and
 * reads only after that what was written. So whatever was kept while the claim still stood is part of what comes next.
 */
export class Ownership {
  readonly generation: number
  readonly owner: string
  /** The last chunk of the owner's log that is known to be kept. */
  keptChunk = 0
  readonly #options: OwnershipOptions
  #confirmedAt = -Infinity
  #confirming: Promise<void> | undefined
  #beats = 0
  #cancelBeat: (() => void) | undefined
  #lost: OwnershipLost | undefined
  readonly #ending = new AbortController()

  constructor(options: OwnershipOptions) {
    this.#options = options
    this.generation = options.generation
    this.owner = options.owner
  }

  /** Aborts when the ownership is lost. */
  get ended(): AbortSignal {
    return this.#ending.signal
  }

  /** Why it is over, if it is. */
  get lost(): OwnershipLost | undefined {
    return this.#lost
  }

  /** Writes, and makes sure that it was kept while this was the owner. */
  async put(key: string, text: string): Promise<void> {
    if (this.#lost) throw this.#lost
    const { access, clock } = this.#options
    await access.set(key, text)
    const now = clock.now()
    const [kept, claim] = await access.getMany([key, claimKey(this.generation)])
    this.#check(claim, now)
    // guard(read-back): a store that answers without having kept it would lose what the caller takes for recorded, guarantee 2
    if (kept !== text) throw new Error(`The store did not keep ${key}`)
  }

  /** {@link put}, again and again until it succeeds. Always the same text: an attempt that seemed to fail may still arrive. */
  async putUntilKept(key: string, text: string, onFailure?: (error: unknown) => void): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.put(key, text)
      } catch (error) {
        if (this.#lost) throw this.#lost
        onFailure?.(error)
        this.#options.report(error)
        await sleep(this.#options.clock, backoffMs(attempt, this.#options.clock), this.ended)
      }
    }
  }

  /** Rejects unless this was the owner a moment ago. */
  async confirm(): Promise<void> {
    if (this.#lost) throw this.#lost
    if (this.#options.clock.now() - this.#confirmedAt < CONFIRMED_MS) return
    this.#confirming ??= this.verify().finally(() => {
      this.#confirming = undefined
    })
    await this.#confirming
  }

  /** Rejects unless this is the owner. */
  async verify(): Promise<void> {
    const now = this.#options.clock.now()
    this.#check(await this.#options.access.get(claimKey(this.generation)), now)
  }

  /** Shows that it is alive, from now on. Resolves when the first sign was kept. */
  async beat(): Promise<void> {
    const { clock, report } = this.#options
    const schedule = (): void => {
      this.#cancelBeat?.()
      if (this.#lost) return
      this.#cancelBeat = clock.after(BEAT_MS, () => {
        this.sign()
          .catch((error: unknown) => {
            if (!this.#lost) report(error)
          })
          .finally(schedule)
      })
    }
    await this.sign()
    schedule()
  }

  /** One sign of life, which tells what is kept by now. */
  sign(): Promise<void> {
    const beat = { owner: this.owner, chunk: this.keptChunk }
    return this.put(beatKey(this.generation), encodeBeat(beat, ++this.#beats))
  }

  /** Lets the next owner in at once. */
  async release(): Promise<void> {
    const isOwner = !this.#lost
    this.stop(new OwnershipLost('The registry is closed'))
    if (!isOwner) return
    const { access, claim } = this.#options
    const key = claimKey(this.generation)
    if ((await access.get(key)) === claim) await access.set(key, encodeClosed(this.owner))
  }

  /** Ends it without a word to the store. */
  stop(reason: OwnershipLost): OwnershipLost {
    this.#lost ??= reason
    this.#cancelBeat?.()
    this.#ending.abort()
    return this.#lost
  }

  #check(claim: string | undefined, now: number): void {
    // guard(claim-after-set): another owner has read what was there, and will never read this, guarantee 2
    if (claim !== this.#options.claim) throw this.stop(takenOver(claim))
    if (this.#lost) throw this.#lost
    this.#confirmedAt = now
  }
}
