import { expectTypeOf, it } from 'vitest'
import { createTestInvalidation, type TestClient } from '../src/index.ts'

const resolveScope = ({ userId }: { userId: string }) => ({ kind: 'user', id: userId })

it('needs a context exactly where the system has one', () => {
  createTestInvalidation()
  createTestInvalidation({ resolveScope: () => null })
  const { createClient } = createTestInvalidation({ resolveScope, context: () => ({ userId: 'ada' }) })
  expectTypeOf(createClient({ context: async () => ({ userId: 'bob' }) })).toEqualTypeOf<TestClient>()

  // @ts-expect-error without context
  createTestInvalidation({ resolveScope })
  // @ts-expect-error another context
  createTestInvalidation({ resolveScope, context: () => ({ user: 'ada' }) })
  // @ts-expect-error another client has to say who it is, too
  createClient()
})
