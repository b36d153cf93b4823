import type { TagInvalidationSystem } from '@query-tags/server'

/** Where the app mounts the system. */
export const BASE = '/api/invalidator'

/** Where it is with `nested`: a router of its own, mounted below a path with a parameter. */
export const NESTED_BASE = `/outer/acme${BASE}`

/** What `resolveScope` gets. */
export interface Caller {
  readonly user: string | undefined
}

/** What the app under test has to be. Compression of responses is always on. */
export interface AppSetup {
  readonly system: TagInvalidationSystem<Caller>
  /** For the adapter's `context`. Give it the value of the request's header `x-user`, read the framework's way. */
  readonly context: (user: string | undefined) => Caller | Promise<Caller>
  /** Mount at `/outer/:tenant` a router that mounts the system at {@link BASE}; otherwise mount it at {@link BASE}. */
  readonly nested: boolean
  /** Parse JSON bodies before the adapter. */
  readonly parsesBodies: boolean
  /** Use the framework's CORS middleware, for {@link PAGE_ORIGIN}. */
  readonly cors: boolean
  /** Listen for HTTP/2 without TLS. */
  readonly http2: boolean
  /** For the framework's global error hook. */
  readonly onError: (error: unknown) => void
}

export const PAGE_ORIGIN = 'https://app.example.com'

/** An app that listens. */
export interface RunningApp {
  readonly port: number
  /** Closes the listener, in the framework's way. Resolves when it is closed. */
  close(): Promise<void>
}

export type StartApp = (setup: AppSetup) => Promise<RunningApp>
