import { concurrencyCases } from './concurrency-cases.ts'
import { listenerCases } from './listener-cases.ts'
import { positionCases } from './position-cases.ts'
import { readCases } from './read-cases.ts'
import type { Cases, RegistryUnderTest } from './registry-under-test.ts'
import { tagCases } from './tag-cases.ts'
import { BOUND, trimmingCases } from './trimming-cases.ts'

/** Makes the registries to try: each case asks for its own. */
export interface RegistryFactory {
  create(): Promise<RegistryUnderTest>
  /** One that keeps at most so many distinct tags of a scope. Left out: there are no cases about trimming. */
  createBounded?(maxTagsPerScope: number): Promise<RegistryUnderTest>
}

/** One thing that a registry has to do. */
export interface RegistryCase {
  /** What it claims: a name for your test. */
  readonly name: string
  /** Rejects when the registry does otherwise. Some let a second of the store's time pass. */
  readonly run: () => Promise<void>
}

/**
 * What makes a registry a `TagRegistry`, as cases for any test framework. A number in a name is that of the guarantee which needs it.
 *
 * @example
 * ```ts
 * for (const { name, run } of registryCases({ create })) test(name, run)
 *
 * async function create() {
 *   return { registry: createMyRegistry(), elapse: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)) }
 * }
 * ```
 */
export function registryCases(factory: RegistryFactory): readonly RegistryCase[] {
  const cases = { ...positionCases, ...readCases, ...listenerCases, ...tagCases, ...concurrencyCases }
  const unbounded = toCases(cases, () => factory.create())
  if (!factory.createBounded) return unbounded
  return [...unbounded, ...toCases(trimmingCases, () => factory.createBounded!(BOUND))]
}

function toCases(cases: Cases, create: () => Promise<RegistryUnderTest>): RegistryCase[] {
  return Object.entries(cases).map(([name, body]) => ({
    name,
    run: async () => {
      const under = await create()
      try {
        await body(under)
      } finally {
        await under.registry.close()
      }
    },
  }))
}
