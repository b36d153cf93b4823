import type { Environment } from '@query-tags/core/client'
import type { Activity } from './activity.ts'

/** Waits up to this are for other things to come along (100 ms for more tags to watch); longer ones are for something to go wrong. */
const SOON_MS = 100
/** What a stream lived when it ends, so that it counts as a healthy one. */
const STREAM_MS = 1000

/** A client's page: always online and in view. Short waits are over at once, long ones never. */
export class TestEnvironment implements Environment {
  readonly loadedAt: { readonly now: number; readonly wall: number } = { now: 0, wall: 0 }
  readonly #activity: Activity
  #now = 0

  constructor(activity: Activity) {
    this.#activity = activity
  }

  /** To be called when a stream has ended. */
  streamEnded(): void {
    this.#now += STREAM_MS
  }

  now(): number {
    return this.#now
  }

  wallNow(): number {
    return this.#now
  }

  after(ms: number, callback: () => void): () => void {
    if (ms > SOON_MS) return () => undefined
    let isCancelled = false
    const end = this.#activity.begin()
    void Promise.resolve().then(() => {
      if (!isCancelled) callback()
      end()
    })
    return () => {
      isCancelled = true
      end()
    }
  }

  random(): number {
    return 0.5
  }

  isOnline(): boolean {
    return true
  }

  onPageEvent(): () => void {
    return () => undefined
  }
}
