import type { Query } from '@tanstack/query-core'

/** Those that are watched, and whether a fetch begins that waits for such a promise. */
const streaming = new WeakMap<Query, boolean>()

/**
 * Notices from now on when a fetch of this query waits for a promise that was streamed here, in place of calling a query function. No event
 * of the cache says so, and to have no query function is no sign: most queries have had one before, or have a default one.
 */
export function watchFetches(query: Query): void {
  if (streaming.has(query)) return
  streaming.set(query, false)
  const fetch = query.fetch.bind(query)
  query.fetch = (options, fetchOptions) => {
    streaming.set(query, !!fetchOptions?.initialPromise)
    try {
      // Its event comes before this returns.
      return fetch(options, fetchOptions)
    } finally {
      streaming.set(query, false)
    }
  }
}

/** Whether the fetch that begins now brings what was read elsewhere. */
export function isStreamed(query: Query): boolean {
  return !!streaming.get(query)
}
