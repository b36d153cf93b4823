import type { ScopeLogs } from '../scope-logs.ts'
import type { Compaction } from './compaction.ts'
import type { Journal } from './journal.ts'
import type { Ownership } from './ownership.ts'

/** What there is while this process owns the store. */
export interface Session {
  readonly ownership: Ownership
  readonly logs: ScopeLogs
  readonly journal: Journal
  readonly compaction: Compaction
}

/** The session, for whoever needs one: calls wait only until it is known for the first time whether there is one. */
export class SessionState {
  #session: Promise<Session>
  #settle: { readonly resolve: (session: Session) => void; readonly reject: (error: Error) => void } | undefined
  #open: Session | undefined
  #message: string | undefined

  constructor() {
    this.#session = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    // Perhaps nobody asks.
    this.#session.catch(() => undefined)
  }

  /** Rejects while there is none. */
  get session(): Promise<Session> {
    return this.#session
  }

  get open(): Session | undefined {
    return this.#open
  }

  succeed(session: Session): void {
    this.#open = session
    this.#message = undefined
    this.#settle?.resolve(session)
    this.#settle = undefined
    this.#session = Promise.resolve(session)
  }

  /** Whether that is news. */
  fail(error: Error): boolean {
    const isNews = this.#message !== error.message
    this.#open = undefined
    this.#message = error.message
    this.#settle?.reject(error)
    this.#settle = undefined
    this.#session = Promise.reject(error)
    this.#session.catch(() => undefined)
    return isNews
  }
}
