import type { TagInvalidationSystem } from '@query-tags/server'

/** Where every app mounts the system. */
export const BASE = '/api/invalidator'

export interface RunningApp {
  readonly port: number
  close(): Promise<unknown>
}

/** Each file beside this one exports one as `start`. */
export type StartApp = (system: TagInvalidationSystem) => RunningApp | Promise<RunningApp>
