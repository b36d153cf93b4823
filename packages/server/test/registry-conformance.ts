import { describe, expect, it } from 'vitest'
import { registryCases } from '../src/registry-conformance/registry-cases.ts'
import type { RegistryUnderTest } from '../src/registry-conformance/registry-under-test.ts'

export type { RegistryUnderTest } from '../src/registry-conformance/registry-under-test.ts'

/**
 * What every tag registry has to do. Each test starts with an empty registry.
 *
 * @param createBounded makes one that keeps at most so many distinct tags of a scope.
 */
export function describeRegistry(
  name: string,
  create: () => Promise<RegistryUnderTest>,
  createBounded?: (maxTagsPerScope: number) => Promise<RegistryUnderTest>,
): void {
  describe(`${name} is a tag registry`, () => {
    const factory = createBounded ? { create, createBounded } : { create }
    it.each(registryCases(factory))('$name', async ({ run }) => {
      await expect(run()).resolves.toBeUndefined()
    })
  })
}
