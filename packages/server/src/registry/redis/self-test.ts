import { randomId, type Clock } from '../../clock.ts'
import { explain, isRefused } from './permissions.ts'
import type { RedisLink } from './redis-link.ts'
import type { ScopeCalls } from './scope-calls.ts'
import { unavailable } from './lane.ts'

const HEAR_TIMEOUT_MS = 5000
const RETRY_MS = 5000

export interface SelfTestOptions {
  readonly link: RedisLink
  readonly calls: ScopeCalls
  readonly clock: Clock
  readonly report: (error: unknown) => void
}

/** Tries everything once on a scope of its own, so that a missing permission is told at the start and not by what is lost. */
export class SelfTest {
  readonly #options: SelfTestOptions
  #state: 'new' | 'running' | 'done' = 'new'
  #channel: string | undefined
  #heard: (() => void) | undefined
  #cancel: (() => void) | undefined

  constructor(options: SelfTestOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#state !== 'new') return
    this.#state = 'running'
    void this.#run()
  }

  hear(channel: string): void {
    if (channel === this.#channel) this.#heard?.()
  }

  close(): void {
    this.#state = 'done'
    this.#cancel?.()
    this.#heard?.()
  }

  async #run(): Promise<void> {
    const { link, calls, clock, report } = this.#options
    // What is left of one that fails goes when its time is over.
    const scope = `self-test ${randomId(clock, 128)}`
    const channel = calls.key(scope)
    try {
      const { head } = await calls.since(scope, { ageMs: 0 })
      await link.subscribe(channel)
      const hearing = this.#hear(channel)
      await calls.record(scope, [['first']], 1)
      if (!(await hearing)) throw unavailable('The self-test did not hear its own message')
      // Trims the first one.
      await calls.record(scope, [['second']], 1)
      const { missed } = await calls.since(scope, head)
      if (missed !== 'expired') throw unavailable('The self-test did not read what it wrote')
      await link.unsubscribe(channel)
      await calls.delete(scope)
    } catch (error) {
      if (isRefused(error)) report(explain(error))
      // Redis may not be there yet.
      else return this.#retry()
    } finally {
      this.#channel = undefined
    }
    this.#state = 'done'
  }

  #hear(channel: string): Promise<boolean> {
    this.#channel = channel
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(HEAR_TIMEOUT_MS, () => {
        resolve(false)
      })
      this.#heard = () => {
        cancel()
        resolve(true)
      }
    })
  }

  #retry(): void {
    if (this.#state === 'done') return
    this.#cancel = this.#options.clock.after(RETRY_MS, () => void this.#run())
  }
}
