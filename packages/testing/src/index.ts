export {
  createTestInvalidation,
  type TestClientOptions,
  type TestInvalidation,
  type TestInvalidationOptions,
} from './create-test-invalidation.ts'
export type { TestClient } from './test-client.ts'
