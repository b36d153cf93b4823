import type { Query } from '@tanstack/query-core'

const watched = new WeakSet<Query>()
const streaming = new WeakSet<Query>()

/**
 * Notices from now on when a fetch of this query waits for a promise that was streamed here, in place of calling a query function. No event
 * of the cache says so, and to have no query function is no sign: most queries have had one before, or have a default one.
 */
export function watchFetches(query: Query): void {
  if (watched.has(query)) return
  watched.add(query)
  const fetch = query.fetch.bind(query)
  query.fetch = (options, fetchOptions) => {
    if (fetchOptions?.initialPromise) streaming.add(query)
    try {
      // Its event comes before this returns.
      return fetch(options, fetchOptions)
    } finally {
      streaming.delete(query)
    }
  }
}

/** Whether the fetch that begins now brings what was read elsewhere. */
export function isStreamed(query: Query): boolean {
  return streaming.has(query)
}
