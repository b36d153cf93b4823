import type { TagRegistry } from '../registry/tag-registry.ts'

/** A registry to try, and a way to let its time pass. */
export interface RegistryUnderTest {
  /** Without a scope in it. The case closes it. */
  readonly registry: TagRegistry
  /** Lets the store's clock go on by at least this many milliseconds: moves a clock of yours, or waits. */
  elapse(ms: number): Promise<void>
}

/** What a case does, by what it claims. */
export type Cases = Readonly<Record<string, (under: RegistryUnderTest) => Promise<void>>>
