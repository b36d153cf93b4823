import type { Clock } from './clock.ts'

/** Where an error came up. */
export type ErrorPhase =
  /** Your `context` threw. */
  | 'context'
  /** Your `resolveScope` threw, or returned something that is no scope. */
  | 'resolve-scope'
  /** The registry failed or took too long. Clients are told that the server can't verify, and repaired later. */
  | 'registry'
  /** A stream could not be written, or a request could not be read, for a reason other than a client that left. */
  | 'stream'

export type ErrorListener = (error: unknown, info: { readonly phase: ErrorPhase }) => void

/** Without an `onError`, one line per phase in this time. */
const LOG_INTERVAL_MS = 1000
const MAX_LINE = 300

/** Takes what goes wrong later than in a call of the application. Never throws. */
export class Reporter {
  readonly #clock: Clock
  readonly #onError: ErrorListener | undefined
  readonly #loggedAt = new Map<ErrorPhase, number>()

  constructor(clock: Clock, onError: ErrorListener | undefined) {
    this.#clock = clock
    this.#onError = onError
  }

  report(error: unknown, phase: ErrorPhase): void {
    if (!this.#onError) {
      this.#log(error, phase)
      return
    }
    try {
      this.#onError(error, { phase })
    } catch (thrown) {
      // There is nobody left to tell but the console.
      this.#log(thrown, phase)
    }
  }

  #log(error: unknown, phase: ErrorPhase): void {
    const now = this.#clock.now()
    const last = this.#loggedAt.get(phase)
    if (last !== undefined && now - last < LOG_INTERVAL_MS) return
    this.#loggedAt.set(phase, now)
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    // As JSON, so that a value inside can't start a new line.
    console.warn(`query-tags (${phase}) ${JSON.stringify(text.slice(0, MAX_LINE))}`)
  }
}
