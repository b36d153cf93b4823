export { registryCases, type RegistryCase, type RegistryFactory } from './registry-cases.ts'
export type { RegistryUnderTest } from './registry-under-test.ts'
