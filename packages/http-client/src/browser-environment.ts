import { runtime, type Environment, type PageEvent } from '@query-tags/core/client'

/** What the browser calls it, and what it means here. `freeze` and `resume` are of the document. */
const EVENTS: Record<string, PageEvent> = {
  online: 'online',
  offline: 'offline',
  pagehide: 'frozen',
  pageshow: 'restored',
  freeze: 'frozen',
  resume: 'restored',
  visibilitychange: 'visible',
}

/**
 * The page as a connection sees it. Works where there is no page too (Node, workers, a server render): time passes, and no page event comes.
 */
export function browserEnvironment(): Environment {
  return {
    ...runtime,
    wallNow: () => Date.now(),
    loadedAt: { now: 0, wall: performance.timeOrigin },
    // Only a clear "no" counts: Node has a navigator that does not know.
    isOnline: () => (globalThis.navigator as Navigator | undefined)?.onLine !== false,
    onPageEvent(listener) {
      const ended = new AbortController()
      const page = globalThis.document as Document | undefined
      const onEvent = ({ type }: Event): void => {
        if (type !== 'visibilitychange' || page?.visibilityState === 'visible') listener(EVENTS[type]!)
      }
      for (const target of [globalThis, page]) {
        // The page's own events bubble from the document to the window or not at all, so each is listened to where it is fired.
        for (const type of Object.keys(EVENTS)) target?.addEventListener?.(type, onEvent, { signal: ended.signal })
      }
      return () => ended.abort()
    },
  }
}
