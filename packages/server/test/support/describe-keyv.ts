import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../src/clock.ts'
import { openKeyvRegistry } from '../../src/registry/keyv/keyv-registry.ts'
import type { KeyvStore } from '../../src/registry/store.ts'
import { describeRegistry, type RegistryUnderTest } from '../registry-conformance.ts'

/** What every registry has to do, over a real store. */
export function describeKeyv(name: string, open: () => Promise<{ readonly keyv: KeyvStore }>): void {
  const create = async (limits = {}): Promise<RegistryUnderTest> => {
    const { keyv } = await open()
    const registry = openKeyvRegistry(keyv, { clock: systemClock, report: console.error }, { limits })
    return { registry, elapse: (ms) => sleep(ms) }
  }
  describeRegistry(
    name,
    () => create(),
    (maxTagsPerScope) => create({ maxTagsPerScope }),
  )
}
