/** Time and chance as every runtime has them. */
export const runtime: Pick<Environment, 'now' | 'after' | 'random'> = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms)
    return () => clearTimeout(timer)
  },
  random: () => Math.random(),
}

/** Everything a connection needs of the outside world but the network. Injected, so that a simulator can be the world. */
export interface Environment {
  /** Monotonic milliseconds. May stand still while the machine sleeps. */
  now(): number
  /** Wall-clock milliseconds since 1970. May jump. */
  wallNow(): number
  /** When the page began to load, by either clock. */
  readonly loadedAt: { readonly now: number; readonly wall: number }
  /** Calls back once, after at least `ms`; the returned function cancels it. */
  after(ms: number, callback: () => void): () => void
  /** Uniform in [0, 1). */
  random(): number
  isOnline(): boolean
  /** Reports what the browser tells about the page. Returns the function that ends it. */
  onPageEvent(listener: (event: PageEvent) => void): () => void
}

/** `frozen` and `restored`: the page went into, or came out of, the back/forward cache or a freeze. */
export type PageEvent = 'online' | 'offline' | 'visible' | 'frozen' | 'restored'
