import { withTags, type Scope } from '@query-tags/core'
import { QueryObserver } from '@tanstack/query-core'
import { expect, it } from 'vitest'
import { bindTags } from '../src/index.ts'
import { createWorld } from './world.ts'

const ADA: Scope = { kind: 'user', id: 'ada' }
const GRACE: Scope = { kind: 'user', id: 'grace' }

it.each([
  ['another user', ADA, GRACE, true],
  ['nobody', ADA, undefined, true],
  ['somebody after nobody', undefined, GRACE, true],
  ['the same user again', ADA, { ...ADA }, false],
])('bound for %s, marks what was there before any hello, unless it is the same user (guarantee 8)', async (...row) => {
  const [, before, after, isMarked] = row
  const { queryClient, client, database, binding } = createWorld({ scope: before })
  const options = withTags({ queryKey: ['value'], queryFn: database.read }, [['value']])
  const leave = new QueryObserver(queryClient, options).subscribe(() => undefined)
  client.hello()
  await database.arrive()
  leave()
  binding.close()

  bindTags({ queryClient, client, scope: after })

  expect(queryClient.getQueryState(['value'])!.isInvalidated).toBe(isMarked)
})
