import type { World, WorldOptions } from '../world.ts'

/** What a framework may lack. */
export type Feature = 'http2' | 'body-parser' | 'nested-router' | 'slow-body'

/** One claim about every adapter. */
export interface Case {
  /** The claim. */
  readonly name: string
  /** Without it the case is left out. */
  readonly needs?: Feature
  readonly run: (start: (options?: WorldOptions) => Promise<World>) => Promise<void>
}
